-- What an export holds: `cargo xtask archive export --from 2026-11-01 --to 2026-11-30 --out export`, then `duckdb < duckdb.sql`.

-- Events by day and type. A message that was delivered twice on two days counts once.
SELECT received_at::DATE AS day, type, count(DISTINCT message_id) AS events, count(DISTINCT subject) AS subjects
FROM read_parquet('export/*/events.parquet')
GROUP BY ALL ORDER BY ALL;

-- Events by the source that told them: the site, the till, the telephone … Lines of earlier versions name none.
SELECT source, name, count(DISTINCT message_id) AS events
FROM read_parquet('export/*/events.parquet')
GROUP BY ALL ORDER BY ALL;

-- Orders by day and currency, each order once, as it was first reported.
SELECT day, currency, count(*) AS orders, sum(total) AS total
FROM (
  SELECT order_id, any_value(currency) AS currency, min(occurred_at)::DATE AS day, arg_min(total::DECIMAL(18, 4), occurred_at) AS total
  FROM read_parquet('export/*/events.parquet')
  WHERE name = 'Order Completed' AND order_id IS NOT NULL
  GROUP BY order_id
)
GROUP BY ALL ORDER BY ALL;

-- Channels of the visits.
SELECT channel, count(DISTINCT message_id) AS events
FROM read_parquet('export/*/events.parquet')
GROUP BY ALL ORDER BY events DESC;

-- A property of an event: properties, traits and context are JSON in a text.
SELECT name, properties ->> '$.order_id' AS order_id, context ->> '$.page.path' AS path
FROM read_parquet('export/*/events.parquet')
LIMIT 10;

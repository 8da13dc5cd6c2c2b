-- Load the files first: `bq load --source_format=PARQUET shop.events 'gs://BUCKET/export/*/events.parquet'`. Not run here.
SELECT day, currency, COUNT(*) AS orders, SUM(total) AS total
FROM (
  SELECT order_id, ANY_VALUE(currency) AS currency, DATE(MIN(occurred_at)) AS day,
    ARRAY_AGG(CAST(total AS NUMERIC) ORDER BY occurred_at LIMIT 1)[OFFSET(0)] AS total
  FROM shop.events
  WHERE name = 'Order Completed' AND order_id IS NOT NULL
  GROUP BY order_id
)
GROUP BY day, currency ORDER BY day, currency;

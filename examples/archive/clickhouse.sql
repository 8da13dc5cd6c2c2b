-- Orders by day and currency, from the exported files. Not run here: no ClickHouse reads these files in the tests.
SELECT day, currency, count() AS orders, sum(total) AS total
FROM (
  SELECT order_id, any(currency) AS currency, toDate(min(occurred_at)) AS day, argMin(toDecimal64(total, 4), occurred_at) AS total
  FROM file('export/*/events.parquet', Parquet)
  WHERE name = 'Order Completed' AND isNotNull(order_id)
  GROUP BY order_id
)
GROUP BY day, currency ORDER BY day, currency;

-- One row for all events that came together, go to the same destination and share their fate so far: a row per event was
-- two thirds of what a batch wrote. Ids are a JSON list. A row is found by its number, which deliveries carry.
DROP INDEX outbox_by_due;
ALTER TABLE outbox RENAME TO outbox_before;
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY,
  message_ids TEXT NOT NULL,
  destination TEXT NOT NULL,
  purposes TEXT NOT NULL,
  channel TEXT,
  state TEXT NOT NULL DEFAULT 'pending',
  attempts INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL,
  reason TEXT,
  updated_ms INTEGER NOT NULL
);
INSERT INTO outbox
  SELECT seq, json_array(message_id), destination, purposes, channel, state, attempts, next_ms, reason, updated_ms
  FROM outbox_before;
DROP TABLE outbox_before;
CREATE INDEX outbox_by_due ON outbox (next_ms, seq) WHERE state = 'pending'

-- One person or device. Times are milliseconds since the epoch; bodies are JSON as text. AUTOINCREMENT only where numbers
-- must never come back: it writes one more page with every batch.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL UNIQUE,
  occurred_ms INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX events_by_time ON events (occurred_ms, seq);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  touch TEXT NOT NULL
);
-- The recorded state of each purpose. Events are checked against it.
CREATE TABLE consent (
  purpose TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  revision INTEGER NOT NULL
);
-- Append-only, chained by hash.
CREATE TABLE receipts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  fingerprint TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL,
  body TEXT NOT NULL
);
-- One row per event and destination. Purposes are kept so that a withdrawal can be obeyed without the configuration.
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL,
  destination TEXT NOT NULL,
  purposes TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  attempts INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL,
  reason TEXT,
  updated_ms INTEGER NOT NULL,
  UNIQUE (message_id, destination)
);
-- Only pending rows: most rows are delivered within seconds and never read again.
CREATE INDEX outbox_by_due ON outbox (next_ms, seq) WHERE state = 'pending'

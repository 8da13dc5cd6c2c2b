-- The tables of a profile as all migrations up to 0015 leave them. A new object is made of this file: running each migration
-- costs it ten times the rows. A test compares the two.
CREATE TABLE batches (
  seq INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  ids BLOB NOT NULL,
  opened TEXT,
  head TEXT NOT NULL,
  bodies BLOB NOT NULL,
  facts BLOB
);
CREATE TABLE consent (
  purpose TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  revision INTEGER NOT NULL,
  chosen_ms INTEGER NOT NULL DEFAULT 0,
  with_gpc INTEGER NOT NULL DEFAULT 0,
  by_report INTEGER NOT NULL DEFAULT 0,
  denied_ms INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE receipts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  fingerprint TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL,
  body TEXT NOT NULL,
  chain TEXT NOT NULL DEFAULT ''
);
CREATE TABLE optins (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  state TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX optins_by_channel ON optins (channel, seq);
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
  updated_ms INTEGER NOT NULL,
  steps INTEGER NOT NULL DEFAULT 0,
  wants_person INTEGER NOT NULL DEFAULT 0,
  event INTEGER NOT NULL DEFAULT 0,
  since_ms INTEGER NOT NULL DEFAULT 0,
  link TEXT,
  mark TEXT
);
CREATE TABLE links (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID

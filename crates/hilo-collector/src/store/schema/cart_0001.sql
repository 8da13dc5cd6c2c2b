-- One cart. Times are milliseconds since the epoch; bodies are JSON as text.
-- The state is one row, so that an operation costs few statements. `version` grows with every change of it.
CREATE TABLE cart (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL,
  body TEXT NOT NULL
);
-- Display fields by line: they are large and change seldom.
CREATE TABLE infos (
  line TEXT PRIMARY KEY,
  body TEXT NOT NULL
);
-- The last deltas, for replicas that come back.
CREATE TABLE deltas (
  rev INTEGER PRIMARY KEY,
  body TEXT NOT NULL
);
-- The token that each replica is bound to: the first one that the replica used.
CREATE TABLE replicas (
  replica TEXT PRIMARY KEY,
  token TEXT NOT NULL,
  seen_ms INTEGER NOT NULL
);
CREATE TABLE checkouts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);
-- Ids that count once: the ids of orders, commands and merges.
CREATE TABLE once (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  UNIQUE (kind, id)
);
-- The tasks and their times. The object's single alarm fires for the earliest one.
CREATE TABLE schedule (
  task TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL
);
-- Touchpoints that no profile has confirmed yet.
CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  body TEXT NOT NULL
);

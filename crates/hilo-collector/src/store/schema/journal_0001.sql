CREATE TABLE rejects (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  code TEXT NOT NULL,
  reject TEXT NOT NULL
);
CREATE INDEX rejects_at ON rejects (at_ms);
CREATE TABLE live (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  line TEXT NOT NULL
);
CREATE TABLE destinations (
  name TEXT PRIMARY KEY,
  delivered INTEGER NOT NULL DEFAULT 0,
  retried INTEGER NOT NULL DEFAULT 0,
  dead INTEGER NOT NULL DEFAULT 0,
  last_delivered_at TEXT,
  last_error TEXT,
  last_error_at TEXT
);
CREATE TABLE dead_letters (
  profile TEXT NOT NULL,
  message_id TEXT NOT NULL,
  destination TEXT NOT NULL,
  reason TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (profile, message_id, destination)
);

-- A row per call of a webhook, for the days in which a repeat is known.
CREATE TABLE seen (
  key TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL
) WITHOUT ROWID;
-- A row per call whose work is not done. `code` is why it is kept; NULL while it waits.
CREATE TABLE arrivals (
  key TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  code TEXT
) WITHOUT ROWID;
-- The call itself, sealed, in parts: a row may have 2 MB.
CREATE TABLE parts (
  key TEXT NOT NULL,
  part INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (key, part)
) WITHOUT ROWID;

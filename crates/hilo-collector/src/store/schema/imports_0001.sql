CREATE TABLE imports (
  id TEXT PRIMARY KEY,
  number INTEGER NOT NULL UNIQUE,
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  began_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL,
  -- The next call that is missing, and the number of the last one, once it is known.
  next_seq INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER,
  "rows" INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER NOT NULL DEFAULT 0,
  duplicate INTEGER NOT NULL DEFAULT 0,
  conflict INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  kept INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
-- A call that is done, with its counts and the rows that it refused.
CREATE TABLE calls (
  import INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  body TEXT NOT NULL,
  counts TEXT NOT NULL,
  faults TEXT NOT NULL,
  PRIMARY KEY (import, seq)
) WITHOUT ROWID;
-- The rows of all imports by their keyed hashes. A row belongs to the call that brought it first.
CREATE TABLE keys (
  key TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  import INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  is_update INTEGER NOT NULL
) WITHOUT ROWID;

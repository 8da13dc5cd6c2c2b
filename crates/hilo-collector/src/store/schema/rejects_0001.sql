-- A row per kind of refusal: all of them, those with a line, the last one, the last one with a line.
CREATE TABLE counts (
  source TEXT NOT NULL,
  outcome TEXT NOT NULL,
  code TEXT NOT NULL,
  seen INTEGER NOT NULL,
  kept INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  line_ms INTEGER NOT NULL,
  PRIMARY KEY (source, outcome, code)
) WITHOUT ROWID;
-- A row per bundle of an isolate: its lines as a JSON list, oldest first.
CREATE TABLE bundles (
  seq INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  rejects TEXT NOT NULL
);

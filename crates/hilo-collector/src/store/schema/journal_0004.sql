-- Events that count as sent without an answer, and those that do not go to a destination though nothing is wrong.
ALTER TABLE destinations ADD COLUMN assumed INTEGER NOT NULL DEFAULT 0;
CREATE TABLE skipped (
  destination TEXT NOT NULL,
  code TEXT NOT NULL,
  events INTEGER NOT NULL,
  PRIMARY KEY (destination, code)
) WITHOUT ROWID;
-- What a dead letter shows: the code of its reason, the last request and its answer as JSON.
ALTER TABLE dead_letters ADD COLUMN code TEXT NOT NULL DEFAULT 'other';
ALTER TABLE dead_letters ADD COLUMN request TEXT;
ALTER TABLE dead_letters ADD COLUMN answer TEXT

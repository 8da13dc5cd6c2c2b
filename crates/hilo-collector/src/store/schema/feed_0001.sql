-- The one row: how far the service was read, the run under way, the last success and the last failure.
CREATE TABLE feed (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  kept TEXT NOT NULL
);
-- Calls of the service by hour.
CREATE TABLE calls (
  hour INTEGER PRIMARY KEY,
  count INTEGER NOT NULL
);
-- Ids of which the service has told, and that are not read yet.
CREATE TABLE told (
  id TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL
) WITHOUT ROWID;
-- Touchpoints of posts and channels.
CREATE TABLE touches (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
);
-- The last totals of what the service counts.
CREATE TABLE counters (
  of TEXT PRIMARY KEY,
  totals TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) WITHOUT ROWID;
-- Deliveries of touchpoints that are not done. A dead one has no time.
CREATE TABLE due (
  row INTEGER PRIMARY KEY,
  touch INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  destination TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  since_ms INTEGER NOT NULL,
  next_ms INTEGER,
  steps INTEGER NOT NULL DEFAULT 0,
  reason TEXT
);
CREATE INDEX due_next ON due (next_ms);

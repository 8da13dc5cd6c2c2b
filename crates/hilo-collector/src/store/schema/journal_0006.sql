-- Events that the tracking plan refused, sealed, until the plan is mended.
CREATE TABLE held (
  profile TEXT NOT NULL,
  message_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  source TEXT NOT NULL,
  code TEXT NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (profile, message_id)
);
CREATE INDEX held_at ON held (at_ms)

-- The opt-ins of a person. Append-only: the newest row of a channel is in force, and the older rows prove its history.
CREATE TABLE optins (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  state TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX optins_by_channel ON optins (channel, seq);
-- The channel that a delivery needs, so that an opt-out can be obeyed without the configuration.
ALTER TABLE outbox ADD COLUMN channel TEXT

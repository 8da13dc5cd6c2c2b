-- What was left out of a touchpoint, so that it fits into an event: names with commas between them.
ALTER TABLE outbox ADD COLUMN cut TEXT

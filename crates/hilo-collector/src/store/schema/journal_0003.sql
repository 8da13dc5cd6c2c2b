-- The time of the first failed attempt since the last accepted event, so that health can tell a bad minute from an outage.
ALTER TABLE destinations ADD COLUMN failing_since TEXT;

-- Since when a delivery is pending: it is given up by its age, however few its attempts were. A replay begins anew.
ALTER TABLE outbox ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET since_ms = updated_ms

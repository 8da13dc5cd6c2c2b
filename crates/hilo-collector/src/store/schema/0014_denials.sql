-- When a purpose was denied last. A later grant does not bring back the ids that the denial removed.
ALTER TABLE consent ADD COLUMN denied_ms INTEGER NOT NULL DEFAULT 0

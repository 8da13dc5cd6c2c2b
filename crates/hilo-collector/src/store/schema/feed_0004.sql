-- Whether the person of a deleted record was erased.
ALTER TABLE told ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;

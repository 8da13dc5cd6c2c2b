-- The object that a receipt came from by a link: each object's receipts stay a chain of their own. Empty for the person's own.
ALTER TABLE receipts ADD COLUMN chain TEXT NOT NULL DEFAULT '';
-- The object that a delivery came from by a link.
ALTER TABLE outbox ADD COLUMN link TEXT

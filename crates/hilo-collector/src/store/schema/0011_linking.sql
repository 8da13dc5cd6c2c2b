-- The object that a receipt came from by a link: each object's receipts stay a chain of their own. Empty for the person's own.
ALTER TABLE receipts ADD COLUMN chain TEXT NOT NULL DEFAULT '';
-- The object that a delivery came from by a link, and the number of its row there.
ALTER TABLE outbox ADD COLUMN link TEXT;
ALTER TABLE outbox ADD COLUMN link_row INTEGER

-- Whose attempt has marked a delivery last: only its result ends the mark, and its id marks nothing twice.
ALTER TABLE outbox ADD COLUMN mark TEXT

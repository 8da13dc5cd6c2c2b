-- One row for the events that came together: a row per event, with its two index entries, was nine tenths of what a batch
-- wrote. `seq` and `last` are the numbers of the first and the last event: numbers never come back, and no two rows overlap.
-- `ids` has eight bytes of each event's hashed id, so that a duplicate is found in memory. `opened` has the sessions that an
-- event of the row opened. `head` has what it takes to find an event in `bodies`, and stands before them: a long row is read
-- only as far as it is needed. `timeline/moved.rs` moves the rows of `events` and `sessions`, and drops both tables.
CREATE TABLE batches (
  seq INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  ids BLOB NOT NULL,
  opened TEXT,
  head TEXT NOT NULL,
  bodies BLOB NOT NULL
);
-- A row of the outbox ends with its delivery, so few rows are left to look through, and each index entry is a written row.
DROP INDEX outbox_by_due;
-- The number of the first event of the row.
ALTER TABLE outbox ADD COLUMN event INTEGER NOT NULL DEFAULT 0

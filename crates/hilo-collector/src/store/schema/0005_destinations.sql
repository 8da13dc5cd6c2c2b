-- How many steps of a delivery are done (a destination may need several requests for one event), and whether the destination
-- gets the person along with the event. The source that sent an event is the provenance of the traits that it brought.
ALTER TABLE outbox ADD COLUMN steps INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN wants_person INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN source TEXT

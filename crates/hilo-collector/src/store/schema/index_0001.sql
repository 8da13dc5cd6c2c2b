-- A key is the keyed hash of an address, and an object is the name of a profile's. The label is sealed.
CREATE TABLE owners (
  key TEXT NOT NULL,
  object TEXT NOT NULL,
  label TEXT NOT NULL,
  PRIMARY KEY (key, object)
) WITHOUT ROWID;
-- Contacts who wait until somebody proves the address. `claimed_by` is the object of the person who did.
CREATE TABLE waiting (
  key TEXT NOT NULL,
  object TEXT NOT NULL,
  id TEXT NOT NULL,
  claimed_by TEXT,
  PRIMARY KEY (key, object)
) WITHOUT ROWID;

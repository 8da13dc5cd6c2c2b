-- The faults of the last scheduled check: since when each lasts, and whether an alert of it has arrived.
CREATE TABLE faults (
  code TEXT NOT NULL,
  about TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  loses INTEGER NOT NULL,
  told INTEGER NOT NULL,
  PRIMARY KEY (code, about)
) WITHOUT ROWID

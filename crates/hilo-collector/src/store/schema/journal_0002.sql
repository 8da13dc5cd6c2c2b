-- Refusals are kept by shards from now on. The tables `rejects` and `live` stay for the version before; the refusals that
-- they have are shown until their days are over.
CREATE TABLE shards (
  hour INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (hour, number)
) WITHOUT ROWID;
DELETE FROM live;

-- The one row: grant, token, failure and beginning of a destination, sealed as a whole.
CREATE TABLE kept (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  sealed BLOB NOT NULL
);

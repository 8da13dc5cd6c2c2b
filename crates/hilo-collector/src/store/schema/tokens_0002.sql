-- The row that is in use while `kept` does not open: an earlier grant is not lost by another `HILO_SECRET`.
CREATE TABLE aside (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  sealed BLOB NOT NULL
);

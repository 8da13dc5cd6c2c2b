-- Flags of people's records that are set. Both texts are hashes that only the collector can make.
CREATE TABLE flags (
  seq INTEGER PRIMARY KEY,
  of TEXT NOT NULL UNIQUE,
  about TEXT NOT NULL
);

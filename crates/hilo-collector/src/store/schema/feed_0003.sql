-- Records of people, and where they lead. All texts are hashes that only the collector can make.
CREATE TABLE records (
  seq INTEGER PRIMARY KEY,
  of TEXT NOT NULL UNIQUE,
  leads TEXT NOT NULL
);

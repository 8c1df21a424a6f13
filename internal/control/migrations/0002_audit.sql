-- The chained log: record is the canonical JSON that leaf is the hash of.
CREATE TABLE audit (
  seq    INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  kind   TEXT NOT NULL,
  person TEXT NOT NULL,
  record TEXT NOT NULL,
  leaf   TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_person ON audit (person, seq);

-- What the records commit to without containing it; a row can be erased and
-- the chain still holds.
CREATE TABLE audit_content (
  seq          INTEGER PRIMARY KEY,
  key          TEXT NOT NULL,
  before_state TEXT,
  after_state  TEXT
);

-- Changes that need two people: what one asked for, until another agrees.
CREATE TABLE proposals (
  id          TEXT PRIMARY KEY,
  operation   TEXT NOT NULL,
  path        TEXT NOT NULL, -- below the API's prefix, with its query
  body        TEXT NOT NULL, -- JSON; '' for none
  summary     TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  reason      TEXT NOT NULL,
  person_id   TEXT NOT NULL REFERENCES people (id),
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  state       TEXT NOT NULL, -- open, confirmed, done, failed, declined, withdrawn, expired
  decided_by  TEXT,
  decided_at  INTEGER,
  error       TEXT
);
CREATE INDEX proposals_state ON proposals (state, created_at);

CREATE TABLE people (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE, -- lower case: what one signs in with
  full_name  TEXT NOT NULL,
  email      TEXT NOT NULL,
  password   TEXT NOT NULL,        -- argon2id, encoded; '' for none
  disabled   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  version    INTEGER NOT NULL
);

CREATE TABLE teams (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  channel    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  version    INTEGER NOT NULL
);

CREATE TABLE team_people (
  team_id   TEXT NOT NULL REFERENCES teams (id),
  person_id TEXT NOT NULL REFERENCES people (id),
  PRIMARY KEY (team_id, person_id)
);
CREATE INDEX team_people_person ON team_people (person_id);

-- Roles of a person; '*' for every team or environment. Teams by name, since
-- agents and senders name teams that nobody has made yet.
CREATE TABLE grants (
  person_id   TEXT NOT NULL REFERENCES people (id),
  role        TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  PRIMARY KEY (person_id, role, team, environment)
);

CREATE TABLE sign_ins (
  id          TEXT PRIMARY KEY,
  person_id   TEXT NOT NULL REFERENCES people (id),
  cookie_hash TEXT NOT NULL UNIQUE,
  secret_hash TEXT NOT NULL,
  address     TEXT NOT NULL,
  agent       TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  used_at     INTEGER NOT NULL,
  ended_at    INTEGER
);
CREATE INDEX sign_ins_person ON sign_ins (person_id);

CREATE TABLE tokens (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  kind       TEXT NOT NULL,
  owner_id   TEXT NOT NULL REFERENCES people (id),
  hash       TEXT NOT NULL,
  scopes     TEXT NOT NULL, -- JSON list of grants
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER,
  revoked_at INTEGER
);
CREATE INDEX tokens_owner ON tokens (owner_id);

CREATE TABLE intake_keys (
  id               TEXT PRIMARY KEY,
  name             TEXT NOT NULL,
  team             TEXT NOT NULL,
  environment      TEXT NOT NULL,
  hash             TEXT NOT NULL,
  spans_per_second INTEGER NOT NULL,
  bytes_per_second INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  expires_at       INTEGER,
  used_at          INTEGER,
  revoked_at       INTEGER
);

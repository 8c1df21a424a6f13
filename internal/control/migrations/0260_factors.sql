-- Second factors of people. A secret is sealed where the installation has a
-- passphrase; last_step is the newest step of time whose code was taken, so
-- that no code passes twice.
CREATE TABLE factors (
  id           TEXT PRIMARY KEY,
  person_id    TEXT NOT NULL REFERENCES people (id),
  kind         TEXT NOT NULL, -- totp
  label        TEXT NOT NULL,
  secret       TEXT NOT NULL,
  last_step    INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  confirmed_at INTEGER,
  used_at      INTEGER
);
CREATE INDEX factors_person ON factors (person_id);

CREATE TABLE recovery_codes (
  person_id TEXT NOT NULL REFERENCES people (id),
  hash      TEXT NOT NULL,
  used_at   INTEGER,
  PRIMARY KEY (person_id, hash)
);

-- Accounts at outside providers by which a person signs in.
CREATE TABLE logins (
  issuer     TEXT NOT NULL,
  subject    TEXT NOT NULL,
  person_id  TEXT NOT NULL REFERENCES people (id),
  created_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX logins_person ON logins (person_id);

-- When the session last showed a second factor.
ALTER TABLE sign_ins ADD COLUMN factor_at INTEGER;

-- An account of an emergency ends by itself.
ALTER TABLE people ADD COLUMN ends_at INTEGER;

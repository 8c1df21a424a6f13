-- Whom agents acted for. The log of decisions has pseudonyms only; this map is
-- what can be erased. A name may have several pseudonyms.
CREATE TABLE decision_users (
  pseudonym TEXT PRIMARY KEY,
  name      TEXT NOT NULL,
  at        INTEGER NOT NULL
);
CREATE INDEX decision_users_name ON decision_users (name);
CREATE INDEX decision_users_at ON decision_users (at);

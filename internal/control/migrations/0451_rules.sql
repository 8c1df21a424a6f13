-- Rules that people wrote over measures of runs and agents, and their versions.

CREATE TABLE rules (
  name       TEXT PRIMARY KEY,
  body       TEXT NOT NULL,
  revision   INTEGER NOT NULL,
  person     TEXT NOT NULL, -- by name
  reason     TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE rule_revisions (
  name     TEXT NOT NULL,
  revision INTEGER NOT NULL,
  body     TEXT NOT NULL,
  person   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (name, revision)
);

-- Data sets: cases from recorded runs, versioned, with where they come from, and
-- what was exported of them. Times are microseconds.

CREATE TABLE datasets (
  name        TEXT PRIMARY KEY,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  version     INTEGER NOT NULL, -- grows with each change of its items
  body        TEXT NOT NULL,
  updated_at  INTEGER NOT NULL
);

CREATE TABLE dataset_items (
  id          TEXT PRIMARY KEY,
  dataset     TEXT NOT NULL,
  added       INTEGER NOT NULL, -- the version from which it is in it
  removed     INTEGER,          -- the version from which it is not; NULL: it is
  revision    INTEGER NOT NULL,
  case_id     TEXT NOT NULL,    -- the same for one run in all data sets
  run         TEXT NOT NULL,    -- '' was written by a person
  agent       TEXT NOT NULL,
  user_ref    TEXT NOT NULL,    -- keyed; '' nobody's
  withdrawn   INTEGER NOT NULL, -- 1: its person was erased, and so is its content
  verdict     TEXT NOT NULL,    -- good, bad, ''
  consent     TEXT NOT NULL,
  body        TEXT NOT NULL,
  at          INTEGER NOT NULL
);
CREATE INDEX dataset_items_of ON dataset_items (dataset, added);
CREATE INDEX dataset_items_user ON dataset_items (user_ref);
CREATE INDEX dataset_items_case ON dataset_items (case_id);

CREATE TABLE dataset_exports (
  id       TEXT PRIMARY KEY,
  dataset  TEXT NOT NULL,
  version  INTEGER NOT NULL,
  format   TEXT NOT NULL,
  items    INTEGER NOT NULL,
  sha256   TEXT NOT NULL,
  person   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  at       INTEGER NOT NULL
);

CREATE TABLE dataset_exported (
  export TEXT NOT NULL,
  item   TEXT NOT NULL,
  PRIMARY KEY (export, item)
);
CREATE INDEX dataset_exported_item ON dataset_exported (item);

CREATE TABLE dataset_key (id INTEGER PRIMARY KEY, key TEXT NOT NULL);

-- Users who were erased: nothing of theirs becomes a case again.
CREATE TABLE dataset_withdrawn (
  user_ref TEXT NOT NULL,
  team     TEXT NOT NULL, -- '' everywhere
  at       INTEGER NOT NULL,
  PRIMARY KEY (user_ref, team)
);

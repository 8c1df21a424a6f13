-- Runs whose further calls wait for a person, until then.
CREATE TABLE run_holds (
  run         TEXT PRIMARY KEY,
  agent       TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  person      TEXT NOT NULL,
  name        TEXT NOT NULL,
  reason      TEXT NOT NULL,
  at          INTEGER NOT NULL, -- us
  until_at    INTEGER NOT NULL
);

-- What people have said to runs, and when a model was told.
CREATE TABLE run_notes (
  id          TEXT PRIMARY KEY,
  run         TEXT NOT NULL,
  agent       TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  person      TEXT NOT NULL,
  name        TEXT NOT NULL,
  text        TEXT NOT NULL,
  every       INTEGER NOT NULL, -- 1: with each call, not the next alone
  at          INTEGER NOT NULL, -- us
  until_at    INTEGER NOT NULL,
  ended_at    INTEGER,          -- told for good, or withdrawn
  told_at     INTEGER,          -- the first time
  told        INTEGER NOT NULL DEFAULT 0, -- times
  decision    TEXT NOT NULL DEFAULT '' -- of the last call that told it
);
CREATE INDEX run_notes_run ON run_notes (run, at);
CREATE INDEX run_notes_open ON run_notes (ended_at, until_at);

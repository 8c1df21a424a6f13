-- How good runs were, by evaluators and by people. Times are microseconds.

CREATE TABLE evaluators (
  name        TEXT PRIMARY KEY,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  revision    INTEGER NOT NULL,
  body        TEXT NOT NULL,
  updated_at  INTEGER NOT NULL
);

CREATE TABLE evaluations (
  id          TEXT PRIMARY KEY,
  seq         INTEGER NOT NULL,
  run         TEXT NOT NULL,
  evaluator   TEXT NOT NULL,
  source      TEXT NOT NULL, -- online, or human
  verdict     TEXT NOT NULL, -- pass, unsure, fail, or '' for nothing to say
  score       REAL,
  agent       TEXT NOT NULL,
  version     TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  person      TEXT NOT NULL,
  body        TEXT NOT NULL,
  at          INTEGER NOT NULL
);
CREATE INDEX evaluations_run ON evaluations (run);
CREATE INDEX evaluations_at ON evaluations (at, id);
CREATE INDEX evaluations_seq ON evaluations (seq);
CREATE INDEX evaluations_by ON evaluations (evaluator, agent, at);

-- How agents are invoked for tests, and what came of it. Times are microseconds.

CREATE TABLE invoke_targets (
  agent      TEXT PRIMARY KEY,
  revision   INTEGER NOT NULL,
  body       TEXT NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE experiments (
  id          TEXT PRIMARY KEY,
  agent       TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  kind        TEXT NOT NULL, -- golden, bias
  dataset     TEXT NOT NULL,
  state       TEXT NOT NULL, -- waiting, running, done, failed, stopped
  body        TEXT NOT NULL,
  at          INTEGER NOT NULL
);
CREATE INDEX experiments_at ON experiments (at);
CREATE INDEX experiments_of ON experiments (agent, at);

CREATE TABLE experiment_results (
  experiment TEXT NOT NULL,
  seq        INTEGER NOT NULL,
  item       TEXT NOT NULL,
  passed     INTEGER NOT NULL,
  body       TEXT NOT NULL,
  PRIMARY KEY (experiment, seq)
);

CREATE TABLE bias_plans (
  name        TEXT PRIMARY KEY,
  agent       TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  body        TEXT NOT NULL,
  next_at     INTEGER NOT NULL
);

-- What figures should come to, how that stands, the runs whose verdicts were
-- counted, and changes of autonomy that were proposed. Times are microseconds.

CREATE TABLE objectives (
  name        TEXT PRIMARY KEY,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  body        TEXT NOT NULL,
  revision    INTEGER NOT NULL,
  person      TEXT NOT NULL, -- by name
  reason      TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
);

CREATE TABLE objective_states (
  objective  TEXT PRIMARY KEY,
  body       TEXT NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE objective_labels (
  objective TEXT NOT NULL,
  run       TEXT NOT NULL,
  good      INTEGER NOT NULL,
  at        INTEGER NOT NULL, -- when the verdict came
  PRIMARY KEY (objective, run)
);
CREATE INDEX objective_labels_at ON objective_labels (objective, at);

CREATE TABLE objective_proposals (
  id          TEXT PRIMARY KEY,
  objective   TEXT NOT NULL,
  agent       TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  state       TEXT NOT NULL, -- open, accepted, declined, lapsed
  body        TEXT NOT NULL,
  at          INTEGER NOT NULL,
  decided_at  INTEGER NOT NULL -- 0: not yet
);
CREATE INDEX objective_proposals_state ON objective_proposals (state, at);
CREATE INDEX objective_proposals_objective ON objective_proposals (objective, at);

-- What was said of how runs ended, who may be believed about it, and how far
-- settling has come. The outcome itself lies on the run's row in telemetry.

CREATE TABLE outcome_evidence (
  seq         INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE, -- ours
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  kind        TEXT NOT NULL,
  source      TEXT NOT NULL,
  sender_id   TEXT NOT NULL, -- the sender's own; '' none
  named_by    TEXT NOT NULL, -- run, session or key
  named       TEXT NOT NULL,
  run         TEXT NOT NULL, -- '' until it is found
  agent       TEXT NOT NULL, -- of the run, once it is found
  outcome     TEXT NOT NULL,
  at          INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  next_look   INTEGER NOT NULL, -- for those without a run; 0: none any longer
  text        TEXT NOT NULL,
  person      TEXT NOT NULL
);
CREATE UNIQUE INDEX outcome_evidence_once ON outcome_evidence (team, environment, source, sender_id) WHERE sender_id <> '';
CREATE INDEX outcome_evidence_run ON outcome_evidence (run) WHERE run <> '';
CREATE INDEX outcome_evidence_waiting ON outcome_evidence (next_look) WHERE run = '' AND next_look > 0;
CREATE INDEX outcome_evidence_agent ON outcome_evidence (agent, seq);

CREATE TABLE outcome_rules (
  name       TEXT PRIMARY KEY,
  body       TEXT NOT NULL,
  revision   INTEGER NOT NULL,
  person     TEXT NOT NULL,
  reason     TEXT NOT NULL,
  updated_at INTEGER NOT NULL
);

-- Runs that had not ended when settling came by.
CREATE TABLE outcome_due (
  run    TEXT PRIMARY KEY,
  due_at INTEGER NOT NULL
);
CREATE INDEX outcome_due_at ON outcome_due (due_at);

CREATE TABLE outcome_cursor (
  mode    TEXT PRIMARY KEY,
  through INTEGER NOT NULL, -- ns: runs whose last news is older were looked at
  behind  TEXT NOT NULL     -- the last run of that very time
);

-- What is done about incidents step by step, and where it was done.
CREATE TABLE runbooks (
  name TEXT PRIMARY KEY,
  team TEXT NOT NULL,
  revision INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, -- us
  body TEXT NOT NULL -- JSON
);
CREATE TABLE runbook_runs (
  id TEXT PRIMARY KEY,
  incident TEXT NOT NULL,
  state TEXT NOT NULL, -- waiting, running, done, failed, rolled_back
  at INTEGER NOT NULL, -- us
  revision INTEGER NOT NULL,
  body TEXT NOT NULL -- JSON
);
CREATE INDEX runbook_runs_incident ON runbook_runs (incident, at);

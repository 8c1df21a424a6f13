-- Actions that wait for a person, or did. What was asked never changes; state,
-- expires_at and what follows do.
CREATE TABLE approvals (
  id          TEXT PRIMARY KEY,
  state       TEXT NOT NULL, -- pending, approved, executing, done, unknown, denied, expired, void, taken
  agent       TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  run         TEXT NOT NULL,
  resource    TEXT NOT NULL,
  joins       TEXT NOT NULL, -- what a retry has in common with it
  arguments   TEXT NOT NULL, -- keyed hash of what was asked for
  bound       TEXT NOT NULL, -- keyed hash of what is agreed to: differs after an edit
  ask         TEXT NOT NULL, -- JSON
  request     BLOB,          -- sealed; NULL once it is too old
  edited      BLOB,          -- sealed; the body that goes instead
  answer      BLOB,          -- sealed; what came back
  mac         TEXT NOT NULL, -- over all above it that never changes
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  decided_at  INTEGER,
  ended_at    INTEGER,
  used_by     TEXT NOT NULL DEFAULT '', -- the decision under which it was forwarded
  code        TEXT NOT NULL DEFAULT '', -- why it ended so
  reason      TEXT NOT NULL DEFAULT '',
  asked       INTEGER NOT NULL DEFAULT 1, -- calls that asked for it
  delivered   INTEGER NOT NULL DEFAULT 0  -- 1: the agent has its answer
);
CREATE INDEX approvals_state ON approvals (state, created_at);
CREATE INDEX approvals_alike ON approvals (agent, resource, created_at);
CREATE INDEX approvals_run ON approvals (run);

-- What people said.
CREATE TABLE approval_votes (
  approval  TEXT NOT NULL REFERENCES approvals (id),
  person    TEXT NOT NULL,
  name      TEXT NOT NULL,
  verdict   TEXT NOT NULL, -- approve, edit, deny, takeover
  groups    TEXT NOT NULL, -- JSON: of those asked for
  bound     TEXT NOT NULL, -- what it was said about
  reason    TEXT NOT NULL,
  at        INTEGER NOT NULL,
  opened_at INTEGER,       -- when the person first opened it; NULL: never
  mac       TEXT NOT NULL,
  PRIMARY KEY (approval, person)
);

-- Who opened an approval, first.
CREATE TABLE approval_opened (
  approval TEXT NOT NULL REFERENCES approvals (id),
  person   TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (approval, person)
);

-- Runs that a person finishes instead of the agent.
CREATE TABLE approval_runs (
  run      TEXT PRIMARY KEY,
  approval TEXT NOT NULL,
  agent    TEXT NOT NULL,
  person   TEXT NOT NULL,
  name     TEXT NOT NULL,
  at       INTEGER NOT NULL,
  until_at INTEGER NOT NULL
);

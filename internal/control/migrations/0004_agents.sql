-- Registered agents. A row is never removed: names are never used again.
CREATE TABLE agents (
  name       TEXT PRIMARY KEY,
  team       TEXT NOT NULL,
  body       TEXT NOT NULL,    -- JSON of what people set
  epoch      INTEGER NOT NULL, -- raised by a stop: older credentials are dead
  revision   INTEGER NOT NULL,
  version    TEXT NOT NULL,    -- as last observed; '' unknown
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  seen_at    INTEGER
);

CREATE TABLE agent_revisions (
  agent    TEXT NOT NULL REFERENCES agents (name),
  revision INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  author   TEXT NOT NULL,
  action   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  epoch    INTEGER NOT NULL,
  body     TEXT NOT NULL,
  PRIMARY KEY (agent, revision)
);

-- By what telemetry is recognised: two teams may use the same name.
CREATE TABLE agent_aliases (
  team  TEXT NOT NULL,
  kind  TEXT NOT NULL,
  value TEXT NOT NULL,
  agent TEXT NOT NULL REFERENCES agents (name),
  PRIMARY KEY (team, kind, value)
);
CREATE INDEX agent_aliases_agent ON agent_aliases (agent);

CREATE TABLE agent_keys (
  id         TEXT PRIMARY KEY,
  agent      TEXT NOT NULL REFERENCES agents (name),
  label      TEXT NOT NULL,
  hash       TEXT NOT NULL,    -- SHA-256 of the whole text
  networks   TEXT NOT NULL,    -- JSON list of prefixes
  epoch      INTEGER NOT NULL, -- of the agent when it was made
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER,
  revoked_at INTEGER
);
CREATE INDEX agent_keys_agent ON agent_keys (agent);

-- What agents may ask of the token endpoint; an agent without a row may ask for
-- tokens for the door alone.
CREATE TABLE oauth_clients (
  agent      TEXT PRIMARY KEY REFERENCES agents (name),
  body       TEXT NOT NULL,    -- JSON: scopes, audiences, resources, life, bound
  updated_at INTEGER NOT NULL
);

-- Public keys with which agents sign client assertions.
CREATE TABLE oauth_keys (
  agent      TEXT NOT NULL REFERENCES agents (name),
  kid        TEXT NOT NULL,
  jwk        TEXT NOT NULL,
  epoch      INTEGER NOT NULL, -- of the agent when it was registered: a stop kills it
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (agent, kid)
);

-- Ids that are good once: of client assertions, of outside tokens at enrolment.
CREATE TABLE spent_ids (
  hash       TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
);

CREATE TABLE revoked_tokens (
  id         TEXT PRIMARY KEY, -- jti; also kills what was exchanged from it
  at         INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);

-- One-time tokens by which an instance enrols.
CREATE TABLE join_tokens (
  id         TEXT PRIMARY KEY,
  agent      TEXT NOT NULL REFERENCES agents (name),
  hash       TEXT NOT NULL,    -- SHA-256 of the whole text
  label      TEXT NOT NULL,
  epoch      INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER,
  instance   TEXT NOT NULL     -- that it made; '' unused
);
CREATE INDEX join_tokens_agent ON join_tokens (agent);

-- Certificates of agent instances that have not ended.
CREATE TABLE svids (
  serial     TEXT PRIMARY KEY,
  agent      TEXT NOT NULL REFERENCES agents (name),
  instance   TEXT NOT NULL,
  epoch      INTEGER NOT NULL,
  via        TEXT NOT NULL,    -- what it was given for: join_token, agent_key, x509_svid, ...
  issued_at  INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
CREATE INDEX svids_agent ON svids (agent);

-- Outside issuers whose tokens are taken.
CREATE TABLE token_issuers (
  name       TEXT PRIMARY KEY,
  body       TEXT NOT NULL,
  revision   INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

-- Which processes of this host are which agent.
CREATE TABLE workloads (
  id         TEXT PRIMARY KEY,
  agent      TEXT NOT NULL REFERENCES agents (name),
  body       TEXT NOT NULL,    -- JSON: selectors
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL
);

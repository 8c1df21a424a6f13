-- What agents were observed to use, by claim, and by day for differences.
CREATE TABLE fleet_items (
  id         TEXT PRIMARY KEY, -- derived from claim, kind and name
  claim      TEXT NOT NULL,
  kind       TEXT NOT NULL,    -- prompt, model, tool, server, source, dataset, policy, job, peer, code
  name       TEXT NOT NULL,
  detail     TEXT NOT NULL,    -- a model's provider, a tool's server, a prompt's hash
  first_seen INTEGER NOT NULL,
  last_seen  INTEGER NOT NULL,
  seen       INTEGER NOT NULL,
  run_id     TEXT NOT NULL     -- where it was last seen
);
CREATE INDEX fleet_items_claim ON fleet_items (claim);

CREATE TABLE fleet_days (
  item TEXT NOT NULL,
  day  INTEGER NOT NULL, -- days since 1970 UTC
  seen INTEGER NOT NULL,
  PRIMARY KEY (item, day)
);
CREATE INDEX fleet_days_day ON fleet_days (day);

-- Parts that a person said are known, beside those that the register knows.
CREATE TABLE fleet_known (
  agent  TEXT NOT NULL,
  kind   TEXT NOT NULL,
  name   TEXT NOT NULL,
  by_who TEXT NOT NULL,
  reason TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (agent, kind, name)
);

-- What an agent was made of from a time on. place is the derived id of team,
-- environment and claimed name.
CREATE TABLE fleet_versions (
  place       TEXT NOT NULL,
  number      INTEGER NOT NULL, -- in order, from 1
  hash        TEXT NOT NULL,
  parts       TEXT NOT NULL,    -- JSON: part -> hash
  made_of     TEXT NOT NULL,    -- JSON: part -> list of names
  changed     TEXT NOT NULL,    -- JSON: parts that differ from the one before
  first_seen  INTEGER NOT NULL,
  last_seen   INTEGER NOT NULL,
  run_id      TEXT NOT NULL,    -- that showed it first
  approved_by TEXT NOT NULL,
  approved_at INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  PRIMARY KEY (place, number)
);

-- What the observer knows of the parts of each agent, so that a restart makes
-- no version.
CREATE TABLE fleet_parts (
  place TEXT PRIMARY KEY,
  body  TEXT NOT NULL
);

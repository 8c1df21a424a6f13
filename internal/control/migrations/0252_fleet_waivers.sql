-- What an agent may break of the standard until a date.
CREATE TABLE fleet_waivers (
  agent  TEXT NOT NULL,
  rule   TEXT NOT NULL,
  till   INTEGER NOT NULL,
  reason TEXT NOT NULL,
  by_who TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (agent, rule)
);

-- Versions that a person approved, by the agent that they were approved for.
CREATE TABLE fleet_approved (
  agent  TEXT NOT NULL,
  hash   TEXT NOT NULL,
  by_who TEXT NOT NULL,
  reason TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (agent, hash)
);

-- What follows from findings without a person: policies that say so, and each
-- thing that was done, or would have been. Times are microseconds; 0 is none.

CREATE TABLE response_policies (
  name       TEXT PRIMARY KEY,
  body       TEXT NOT NULL,
  revision   INTEGER NOT NULL,
  person     TEXT NOT NULL, -- by name
  reason     TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE responses (
  id          TEXT PRIMARY KEY,
  policy      TEXT NOT NULL,
  finding     TEXT NOT NULL,
  agent       TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  state       TEXT NOT NULL,
  body        TEXT NOT NULL,
  at          INTEGER NOT NULL,
  until_at    INTEGER NOT NULL,
  ended_at    INTEGER NOT NULL,
  UNIQUE (finding, policy)
);
CREATE INDEX responses_at ON responses (at, id);
CREATE INDEX responses_agent ON responses (agent, at);
CREATE INDEX responses_state ON responses (state);

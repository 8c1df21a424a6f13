-- How long telemetry is kept, where it differs from the configuration.
CREATE TABLE retention_rules (
  kind        TEXT NOT NULL,    -- content, runs
  environment TEXT NOT NULL,    -- '' any
  team        TEXT NOT NULL,    -- '' any
  days        INTEGER NOT NULL, -- 0: for good
  by_who      TEXT NOT NULL,
  reason      TEXT NOT NULL,
  at          INTEGER NOT NULL,
  PRIMARY KEY (kind, environment, team)
);

-- Erasures of people: what was asked for, and what each part answered. Whom it
-- was about is not in it.
CREATE TABLE erasures (
  id     TEXT PRIMARY KEY,
  at     INTEGER NOT NULL,
  by_who TEXT NOT NULL,
  reason TEXT NOT NULL,
  parts  TEXT NOT NULL -- JSON
);

-- Agents as they were observed: who telemetry and calls say they are, and what
-- people decided of those that nobody had registered. Times of what was
-- observed are the senders', clamped to when it came in.

-- How far the activity log was observed, with the counts that are stored.
CREATE TABLE fleet_marks (
  place    INTEGER PRIMARY KEY, -- partition of the log
  cursor   INTEGER NOT NULL,
  received INTEGER NOT NULL     -- ns, of the latest record behind cursor
);

CREATE TABLE fleet_claims (
  id          TEXT PRIMARY KEY, -- derived from the five words below
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  name        TEXT NOT NULL,
  agent_id    TEXT NOT NULL,
  service     TEXT NOT NULL,
  places      INTEGER NOT NULL, -- bits: 1 telemetry, 2 the door
  works       INTEGER NOT NULL, -- 1: did what only agents do
  first_seen  INTEGER NOT NULL,
  last_seen   INTEGER NOT NULL,
  seen        INTEGER NOT NULL, -- steps
  run_id      TEXT NOT NULL,    -- first evidence
  step_id     TEXT NOT NULL,
  last_run    TEXT NOT NULL
);

CREATE TABLE fleet_unknown (
  id          TEXT PRIMARY KEY, -- derived from team, environment and name
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  name        TEXT NOT NULL,
  state       TEXT NOT NULL,    -- open, registered, merged, blocked, dismissed
  agent       TEXT NOT NULL,    -- that it is now; '' none
  undo        TEXT NOT NULL,    -- JSON of what the decision did beside this row
  decided_by  TEXT NOT NULL,
  reason      TEXT NOT NULL,
  opened_at   INTEGER NOT NULL,
  decided_at  INTEGER NOT NULL
);
CREATE INDEX fleet_unknown_state ON fleet_unknown (state, opened_at);

-- Failovers that are tried on a schedule. Times are microseconds; the highest number
-- there is stands for never.
CREATE TABLE drills (
  name        TEXT PRIMARY KEY,
  agent       TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  body        TEXT NOT NULL,
  next_at     INTEGER NOT NULL
);

-- Which plan or drill started an experiment; '' where a person did.
ALTER TABLE experiments ADD COLUMN of_plan TEXT NOT NULL DEFAULT '';
CREATE INDEX experiments_plan ON experiments (kind, of_plan, at);

-- Through when retention dropped records, so that nobody takes what is gone for
-- what never was: also once the rule that dropped it is another.
CREATE TABLE retention_marks (
  kind        TEXT NOT NULL,    -- days: whole days of everything; runs: runs of a place; unknown: before marks were kept
  environment TEXT NOT NULL,    -- '' any
  team        TEXT NOT NULL,    -- '' any
  before_at   INTEGER NOT NULL, -- what is older may be gone
  PRIMARY KEY (kind, environment, team)
);

-- What was dropped before there were marks is found out at the next start.
INSERT INTO retention_marks (kind, environment, team, before_at)
SELECT 'unknown', '', '', 0 WHERE EXISTS (SELECT 1 FROM audit);

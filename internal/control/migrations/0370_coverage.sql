-- How much of what an agent does was decided here, by day (UTC).
CREATE TABLE coverage (
  agent       TEXT NOT NULL,
  day         INTEGER NOT NULL, -- days since 1970
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  results     INTEGER NOT NULL, -- tool results that came back to a model
  governed    INTEGER NOT NULL, -- of them, of calls that a decision allowed
  unchecked   INTEGER NOT NULL, -- actions that went on without our answer
  last_at     INTEGER NOT NULL, -- microseconds: the last that was not covered; 0 none
  PRIMARY KEY (agent, day)
);
CREATE INDEX coverage_day ON coverage (day);

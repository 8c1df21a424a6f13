-- What people ask agents for, grouped by what it means. No text is kept but single
-- words. Times are microseconds.

CREATE TABLE topic_cells (
  id          INTEGER PRIMARY KEY, -- prompts that say nearly the same
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  topic       TEXT NOT NULL,       -- '' when too few prompts are near it
  n           REAL NOT NULL,
  middle      BLOB NOT NULL,       -- the sum of their vectors: 512 floats
  words       TEXT NOT NULL,       -- JSON: in how many prompts each word stands
  last_at     INTEGER NOT NULL
);
CREATE INDEX topic_cells_place ON topic_cells (team, environment);
CREATE INDEX topic_cells_topic ON topic_cells (topic);

CREATE TABLE topics (
  id          TEXT PRIMARY KEY,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  name        TEXT NOT NULL,       -- that somebody gave it
  words       TEXT NOT NULL,       -- JSON
  prompts     INTEGER NOT NULL,
  went_to     TEXT NOT NULL,       -- of one that is no more: the topic that most of it is in
  revision    INTEGER NOT NULL,    -- of the name
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
);
CREATE INDEX topics_place ON topics (team, environment);

CREATE TABLE topic_runs (
  run         TEXT PRIMARY KEY,
  cell        INTEGER NOT NULL,    -- 0: nobody asked anything in words
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  agent       TEXT NOT NULL,
  version     TEXT NOT NULL,
  session     TEXT NOT NULL,       -- the run itself where it is of none
  outcome     TEXT NOT NULL,
  failed      INTEGER NOT NULL,
  verdict     TEXT NOT NULL,       -- of its user: positive, neutral, negative or ''
  asked_again INTEGER NOT NULL,    -- the same was asked later in the session
  cost        REAL,                -- USD; NULL unknown
  near        REAL NOT NULL,       -- cosine with its cell
  at          INTEGER NOT NULL
);
CREATE INDEX topic_runs_at ON topic_runs (at);
CREATE INDEX topic_runs_cell ON topic_runs (cell, at);
CREATE INDEX topic_runs_session ON topic_runs (team, environment, session);

-- How far others' feeds are read.
CREATE TABLE topic_places (
  feed TEXT PRIMARY KEY,
  seq  INTEGER NOT NULL
);

-- What users thought of runs that are not looked at yet.
CREATE TABLE topic_said (
  run     TEXT PRIMARY KEY,
  verdict TEXT NOT NULL,
  at      INTEGER NOT NULL
);
CREATE INDEX topic_said_at ON topic_said (at);

CREATE TABLE topic_sessions (
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  session     TEXT NOT NULL,
  agent       TEXT NOT NULL,       -- of its last run
  version     TEXT NOT NULL,
  runs        INTEGER NOT NULL,
  prompts     INTEGER NOT NULL,
  score       REAL NOT NULL,       -- of frustration, 0 to 1
  signs       TEXT NOT NULL,       -- JSON
  recent      BLOB NOT NULL,       -- vectors of its last prompts, a day
  at          INTEGER NOT NULL,
  PRIMARY KEY (team, environment, session)
);
CREATE INDEX topic_sessions_at ON topic_sessions (at);
CREATE INDEX topic_sessions_score ON topic_sessions (score, at);

-- How far the feeds of feedback and evaluations were read for evidence.
CREATE TABLE outcome_feeds (
  feed TEXT PRIMARY KEY,
  seq  INTEGER NOT NULL
);

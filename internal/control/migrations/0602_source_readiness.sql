-- Results of assertions as they came, and audits of what sources say against the
-- truth. Times are microseconds.

CREATE TABLE source_results (
  source TEXT NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
  name   TEXT NOT NULL,
  at     INTEGER NOT NULL,
  ok     INTEGER NOT NULL,
  PRIMARY KEY (source, name, at)
);
CREATE INDEX source_results_at ON source_results (source, at);

CREATE TABLE source_audits (
  id     TEXT PRIMARY KEY,
  source TEXT NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
  at     INTEGER NOT NULL,
  asked  INTEGER NOT NULL,
  correct INTEGER NOT NULL,
  person TEXT NOT NULL,
  body   TEXT NOT NULL -- JSON: where the truth is from, and what was wrong
);
CREATE INDEX source_audits_at ON source_audits (source, at);

-- Controls of frameworks mapped to evidence, and what they came to. Times are
-- microseconds.

CREATE TABLE compliance_frameworks (
  id         TEXT PRIMARY KEY, -- of people's own; those that ship are in the binary
  revision   INTEGER NOT NULL,
  text       TEXT NOT NULL,    -- YAML, as it was written
  updated_at INTEGER NOT NULL
);

CREATE TABLE compliance_assessments (
  id        TEXT PRIMARY KEY,
  framework TEXT NOT NULL,
  body      TEXT NOT NULL, -- JSON
  at        INTEGER NOT NULL
);
CREATE INDEX compliance_assessments_at ON compliance_assessments (framework, at);

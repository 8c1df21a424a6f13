-- Frameworks that are assessed by themselves. Times are microseconds.

CREATE TABLE compliance_schedules (
  framework TEXT PRIMARY KEY,
  days      INTEGER NOT NULL, -- every so many, over the days since
  person    TEXT NOT NULL,    -- who wanted it, by name
  next      INTEGER NOT NULL
);

-- What may be spent. What was spent is counted from the log of decisions.
CREATE TABLE budgets (
  name       TEXT PRIMARY KEY,
  body       TEXT NOT NULL,    -- JSON of what people set
  count      INTEGER NOT NULL, -- the revision at which its counting began anew
  revision   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

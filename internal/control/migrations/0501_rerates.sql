-- Months whose calls are priced again: what was planned, and what became of it.

CREATE TABLE rerates (
  id         TEXT PRIMARY KEY,
  state      TEXT NOT NULL, -- planning, planned, applying, applied, undoing, undone, failed
  body       TEXT NOT NULL, -- JSON
  created_at INTEGER NOT NULL
);

-- Times whose steps are mapped again by today's table: what was planned, and what
-- became of it.

CREATE TABLE remaps (
  id         TEXT PRIMARY KEY,
  state      TEXT NOT NULL, -- planning, planned, applying, applied, failed
  body       TEXT NOT NULL, -- JSON
  created_at INTEGER NOT NULL
);

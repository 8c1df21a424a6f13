-- Back ends that telemetry is relayed to, and how far each has got in the
-- queue. A cursor is also kept for those that the configuration defines.

CREATE TABLE relay_destinations (
  name       TEXT PRIMARY KEY,
  body       TEXT NOT NULL, -- JSON
  revision   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE relay_cursors (
  name   TEXT PRIMARY KEY,
  seq    INTEGER NOT NULL, -- the last message of the queue that it has
  counts TEXT NOT NULL     -- JSON of what was sent, filtered, rejected, lost
);

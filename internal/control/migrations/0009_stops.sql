-- What is stopped. A row is never removed: it is the history of the stops.
CREATE TABLE stops (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL,
  value      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  by_person  TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  until_at   INTEGER,          -- ends by itself then
  ended_at   INTEGER,          -- when it was seen to have ended by itself
  lifted_at  INTEGER,
  lifted_by  TEXT NOT NULL DEFAULT '',
  receipt    TEXT NOT NULL DEFAULT '' -- JSON
);
CREATE INDEX stops_created ON stops (created_at);

CREATE TABLE upstreams (
  name       TEXT PRIMARY KEY,
  body       TEXT NOT NULL, -- JSON, without any secret
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  revision   INTEGER NOT NULL
);

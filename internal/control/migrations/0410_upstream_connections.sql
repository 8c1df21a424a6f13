-- What authorization servers granted for upstreams, sealed: tokens, secrets of
-- dynamic registrations, and (upstream '*key') the key by which Reeve signs as a
-- client. Times are microseconds.

CREATE TABLE upstream_connections (
  upstream   TEXT PRIMARY KEY,
  body       TEXT NOT NULL, -- base64 of the sealed JSON
  updated_at INTEGER NOT NULL
);

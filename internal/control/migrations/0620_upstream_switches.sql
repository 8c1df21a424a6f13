-- Upstreams whose calls a person sends to another one for a while. Times are
-- microseconds; until 0 holds until it is taken back.

CREATE TABLE upstream_switches (
  upstream TEXT PRIMARY KEY,
  target   TEXT NOT NULL,
  by       TEXT NOT NULL,
  reason   TEXT NOT NULL,
  at       INTEGER NOT NULL,
  until    INTEGER NOT NULL
);

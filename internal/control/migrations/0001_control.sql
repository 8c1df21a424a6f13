-- Facts about this installation, such as its id.
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- Sequences that follow the order of commits: taking the next value locks the
-- row until the transaction ends, on PostgreSQL too.
CREATE TABLE counters (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
);

-- Events that left a transaction and go to the bus.
CREATE TABLE outbox (
  seq    INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  type   TEXT NOT NULL,
  object TEXT NOT NULL,
  data   TEXT NOT NULL
);

-- How far a reader of a sequence has come.
CREATE TABLE cursors (
  name TEXT PRIMARY KEY,
  seq  INTEGER NOT NULL
);

CREATE TABLE timers (
  id       TEXT PRIMARY KEY,
  kind     TEXT NOT NULL,
  due_at   INTEGER NOT NULL,
  next_at  INTEGER NOT NULL, -- due_at, or when to try again
  attempts INTEGER NOT NULL,
  body     TEXT NOT NULL
);
CREATE INDEX timers_next ON timers (next_at);

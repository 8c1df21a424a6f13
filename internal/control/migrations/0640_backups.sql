-- Backups that were made, and how restoring them on trial went.
CREATE TABLE backups (
  id          TEXT PRIMARY KEY,
  at          INTEGER NOT NULL,
  took_ms     INTEGER NOT NULL,
  files       INTEGER NOT NULL,
  bytes       INTEGER NOT NULL,
  sealed      INTEGER NOT NULL,
  by_who      TEXT NOT NULL,
  state       TEXT NOT NULL,    -- whole, sent, failed
  error       TEXT NOT NULL,
  tried_at    INTEGER NOT NULL, -- 0: never
  tried_error TEXT NOT NULL,
  tried_ms    INTEGER NOT NULL
);
CREATE INDEX backups_at ON backups (at);

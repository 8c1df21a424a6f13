-- Signals that fire and that a silence holds back: the feeds they came from are
-- read past them, so this is all that is left of them.

CREATE TABLE silenced_signals (
  fingerprint TEXT PRIMARY KEY,
  body        TEXT NOT NULL -- JSON: incident.Signal
);

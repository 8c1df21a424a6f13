-- What was changed and may show in how agents behave: reported by outside
-- senders, or read from the record of our own changes. Times are microseconds.

CREATE TABLE changes (
  id          TEXT PRIMARY KEY,
  source      TEXT NOT NULL, -- reeve, api, or the name of a hook
  change_key  TEXT NOT NULL,
  kind        TEXT NOT NULL,
  status      TEXT NOT NULL,
  title       TEXT NOT NULL,
  agent       TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  body        TEXT NOT NULL, -- JSON: the rest
  at          INTEGER NOT NULL,
  status_at   INTEGER NOT NULL, -- of the status, by the sender's clock
  received_at INTEGER NOT NULL
);
CREATE INDEX changes_at ON changes (at, id);
CREATE INDEX changes_agent ON changes (agent, at);

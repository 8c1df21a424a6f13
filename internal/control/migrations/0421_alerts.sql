-- Alerts after de-duplication: one row a thing that is wrong, by its sender's own
-- key. What every delivery changes stands apart from what seldom does, so that a
-- storm of repeats rewrites small rows. Times are microseconds.

CREATE TABLE alerts (
  id          TEXT PRIMARY KEY,
  source      TEXT NOT NULL,
  kind        TEXT NOT NULL,
  alert_key   TEXT NOT NULL,
  state       TEXT NOT NULL, -- firing, resolved
  how         TEXT NOT NULL, -- how it was resolved: sender, silence, a person
  acked       INTEGER NOT NULL,
  severity    TEXT NOT NULL,
  title       TEXT NOT NULL,
  body        TEXT NOT NULL, -- JSON: text, labels, links, agent's reason
  agent       TEXT NOT NULL,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  digest      TEXT NOT NULL, -- of title, severity and body
  started_at  INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL, -- when the state changed here
  first_at    INTEGER NOT NULL,
  episodes    INTEGER NOT NULL,
  raw         TEXT NOT NULL,
  raw_bytes   INTEGER NOT NULL
);
CREATE INDEX alerts_state ON alerts (state, changed_at);
CREATE INDEX alerts_agent ON alerts (agent, changed_at);

CREATE TABLE alert_seen (
  alert      TEXT PRIMARY KEY REFERENCES alerts (id) ON DELETE CASCADE,
  last_at    INTEGER NOT NULL,
  state_at   INTEGER NOT NULL, -- the newest word of its state, by the sender's clock
  expires_at INTEGER NOT NULL, -- 0: never
  receptions INTEGER NOT NULL,
  late       INTEGER NOT NULL
);

CREATE TABLE alert_history (
  seq         INTEGER PRIMARY KEY, -- over all alerts, in the order of commits
  alert       TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
  kind        TEXT NOT NULL,
  at          INTEGER NOT NULL, -- by the sender's clock
  received_at INTEGER NOT NULL,
  severity    TEXT NOT NULL,
  person      TEXT NOT NULL,
  note        TEXT NOT NULL
);
CREATE INDEX alert_history_alert ON alert_history (alert, seq);

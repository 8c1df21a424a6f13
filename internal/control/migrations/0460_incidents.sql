-- Incidents: signals with one cause as far as is known, what people did about
-- them, and by which weights signals are joined. Times are microseconds.

CREATE TABLE incidents (
  id          TEXT PRIMARY KEY,
  number      INTEGER NOT NULL UNIQUE,
  state       TEXT NOT NULL, -- open, acknowledged, mitigated, resolved, reviewed, merged
  severity    TEXT NOT NULL,
  team        TEXT NOT NULL, -- that most of its signals are of; '' none
  environment TEXT NOT NULL,
  opened_at   INTEGER NOT NULL,
  last_at     INTEGER NOT NULL, -- of its newest signal
  resolved_at INTEGER NOT NULL, -- 0: not
  people      INTEGER NOT NULL, -- affected; -1 unknown
  body        TEXT NOT NULL,    -- JSON
  revision    INTEGER NOT NULL
);
CREATE INDEX incidents_state ON incidents (state, last_at);
CREATE INDEX incidents_opened ON incidents (opened_at);

CREATE TABLE incident_signals (
  incident    TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  fingerprint TEXT NOT NULL,
  firing      INTEGER NOT NULL,
  first_at    INTEGER NOT NULL,
  last_at     INTEGER NOT NULL,
  count       INTEGER NOT NULL,
  body        TEXT NOT NULL, -- JSON: the signal, and why it is here
  PRIMARY KEY (incident, fingerprint)
);
CREATE INDEX incident_signals_print ON incident_signals (fingerprint, last_at);

CREATE TABLE incident_entries (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  at       INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  body     TEXT NOT NULL -- JSON
);
CREATE INDEX incident_entries_incident ON incident_entries (incident, at);

-- Joins and splits, so that each can be taken back.
CREATE TABLE incident_moves (
  id        TEXT PRIMARY KEY,
  kind      TEXT NOT NULL, -- merge, split
  source    TEXT NOT NULL,
  target    TEXT NOT NULL,
  at        INTEGER NOT NULL,
  person    TEXT NOT NULL, -- '' Reeve itself
  undone_at INTEGER NOT NULL,
  body      TEXT NOT NULL -- JSON: which signals, why, which weights it changed
);
CREATE INDEX incident_moves_source ON incident_moves (source);
CREATE INDEX incident_moves_target ON incident_moves (target);

CREATE TABLE incident_weights (
  revision INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  person   TEXT NOT NULL,
  body     TEXT NOT NULL -- JSON: all weights, what changed and why
);

CREATE TABLE silences (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL, -- silence, maintenance
  team       TEXT NOT NULL,
  starts_at  INTEGER NOT NULL,
  ends_at    INTEGER NOT NULL,
  body       TEXT NOT NULL
);
CREATE INDEX silences_ends ON silences (ends_at);

CREATE TABLE incident_acts (
  id       TEXT PRIMARY KEY,
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  state    TEXT NOT NULL,
  at       INTEGER NOT NULL,
  body     TEXT NOT NULL
);
CREATE INDEX incident_acts_incident ON incident_acts (incident, at);

CREATE TABLE incident_reviews (
  incident   TEXT PRIMARY KEY REFERENCES incidents (id) ON DELETE CASCADE,
  state      TEXT NOT NULL, -- draft, done
  updated_at INTEGER NOT NULL,
  revision   INTEGER NOT NULL,
  body       TEXT NOT NULL
);

-- What is to be done after an incident, or for those that it touched.
CREATE TABLE incident_tasks (
  id       TEXT PRIMARY KEY,
  incident TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
  kind     TEXT NOT NULL, -- action, compensation, step
  owner    TEXT NOT NULL,
  due_at   INTEGER NOT NULL, -- 0: none
  done_at  INTEGER NOT NULL,
  body     TEXT NOT NULL
);
CREATE INDEX incident_tasks_incident ON incident_tasks (incident, kind);
CREATE INDEX incident_tasks_open ON incident_tasks (done_at, due_at);

-- What people and downstream systems said of runs' results. Times are
-- microseconds.

CREATE TABLE feedback (
  id          TEXT PRIMARY KEY,
  seq         INTEGER NOT NULL, -- of the last change, for who follows
  source      TEXT NOT NULL,    -- api, form:NAME, link, a hook's name, telemetry
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  giver       TEXT NOT NULL,    -- user or system
  verdict     TEXT NOT NULL,    -- positive, neutral, negative, or ''
  kind        TEXT NOT NULL,
  user_ref    TEXT NOT NULL,    -- who gave it, as a keyed hash; erasure finds it by this
  run         TEXT NOT NULL,    -- '' until it is joined
  agent       TEXT NOT NULL,
  version     TEXT NOT NULL,
  failed      INTEGER NOT NULL, -- the run had errors; 2 unknown
  wait_run    TEXT NOT NULL,    -- what it waits for, until joined
  wait_session TEXT NOT NULL,
  wait_key    TEXT NOT NULL,
  body        TEXT NOT NULL,    -- JSON: the rest
  at          INTEGER NOT NULL,
  received_at INTEGER NOT NULL
);
CREATE INDEX feedback_at ON feedback (at, id);
CREATE INDEX feedback_seq ON feedback (seq);
CREATE INDEX feedback_run ON feedback (run);
CREATE INDEX feedback_agent ON feedback (agent, at);
CREATE INDEX feedback_user ON feedback (user_ref);

-- Which run a join key names: told by who sends the answer, or by a run's label.
CREATE TABLE feedback_keys (
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  join_key    TEXT NOT NULL,
  run         TEXT NOT NULL,
  at          INTEGER NOT NULL,
  PRIMARY KEY (team, environment, join_key)
);
CREATE INDEX feedback_keys_at ON feedback_keys (at);

-- Where a web page may send feedback from, without a secret.
CREATE TABLE feedback_forms (
  name        TEXT PRIMARY KEY,
  form_key    TEXT NOT NULL UNIQUE,
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  revision    INTEGER NOT NULL,
  body        TEXT NOT NULL
);

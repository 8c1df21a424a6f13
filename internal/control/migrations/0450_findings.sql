-- What detectors saw. A finding is one thing that one detector saw of one
-- subject; seen again within its quiet period it counts on. Times are
-- microseconds.

CREATE TABLE findings (
  id          TEXT PRIMARY KEY,
  detector    TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  severity    TEXT NOT NULL, -- info, warning, critical
  team        TEXT NOT NULL,
  environment TEXT NOT NULL,
  agent       TEXT NOT NULL,
  body        TEXT NOT NULL, -- JSON: words, expected, seen, evidence
  count       INTEGER NOT NULL,
  first_at    INTEGER NOT NULL,
  last_at     INTEGER NOT NULL,
  closed_at   INTEGER NOT NULL -- 0: open
);
CREATE INDEX findings_last ON findings (last_at, id);
CREATE INDEX findings_agent ON findings (agent, last_at);
CREATE INDEX findings_open ON findings (closed_at) WHERE closed_at = 0;

-- What people said of findings, those of other parts included: their ids tell
-- them apart.
CREATE TABLE finding_verdicts (
  finding  TEXT PRIMARY KEY,
  detector TEXT NOT NULL,
  agent    TEXT NOT NULL,
  subject  TEXT NOT NULL, -- fingerprint
  verdict  TEXT NOT NULL, -- useful, noise
  person   TEXT NOT NULL,
  name     TEXT NOT NULL,
  reason   TEXT NOT NULL,
  at       INTEGER NOT NULL
);
CREATE INDEX finding_verdicts_detector ON finding_verdicts (detector, agent, at);

-- What people want of detectors: by effect, for all agents ('') or one.
CREATE TABLE detector_settings (
  detector TEXT NOT NULL,
  agent    TEXT NOT NULL,
  body     TEXT NOT NULL,
  revision INTEGER NOT NULL,
  person   TEXT NOT NULL, -- by name
  reason   TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (detector, agent)
);

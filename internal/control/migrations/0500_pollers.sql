-- Systems that are asked for records of agents, and how far each was read.

CREATE TABLE pollers (
  name       TEXT PRIMARY KEY,
  body       TEXT NOT NULL, -- JSON
  revision   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE poller_places (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL -- JSON: through when all was read, and counts
);

-- Records of the time that is read again for what comes late.
CREATE TABLE poller_seen (
  name TEXT NOT NULL,
  id   TEXT NOT NULL,
  at   INTEGER NOT NULL,
  PRIMARY KEY (name, id)
);

CREATE INDEX poller_seen_at ON poller_seen (name, at);

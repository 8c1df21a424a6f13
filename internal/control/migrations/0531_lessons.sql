-- What was learned of incidents, for agents to read.
CREATE TABLE lessons (
  id TEXT PRIMARY KEY,
  team TEXT NOT NULL,
  incident TEXT NOT NULL,
  expires_at INTEGER NOT NULL, -- us
  revoked_at INTEGER NOT NULL, -- us; 0 it is not
  revision INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, -- us
  body TEXT NOT NULL -- JSON
);
CREATE INDEX lessons_incident ON lessons (incident);
-- Who read them.
CREATE TABLE lesson_reads (
  lesson TEXT NOT NULL,
  revision INTEGER NOT NULL, -- of the lesson
  agent TEXT NOT NULL,
  how TEXT NOT NULL, -- http, resource, prompt
  first_at INTEGER NOT NULL, -- us
  last_at INTEGER NOT NULL, -- us
  count INTEGER NOT NULL,
  PRIMARY KEY (lesson, revision, agent, how)
);

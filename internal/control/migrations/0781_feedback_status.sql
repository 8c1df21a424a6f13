-- Links by which somebody without an address sees what became of what they said. The
-- token itself is not kept. Times are microseconds.

CREATE TABLE feedback_status (
  token    TEXT PRIMARY KEY, -- SHA-256 of it, in hex
  feedback TEXT NOT NULL REFERENCES feedback (id) ON DELETE CASCADE,
  at       INTEGER NOT NULL,
  expires  INTEGER NOT NULL
);
CREATE INDEX feedback_status_of ON feedback_status (feedback, at);
CREATE INDEX feedback_status_ends ON feedback_status (expires);

-- Canary prompts: what is asked of a model by its name on a schedule, and what each
-- answer was like. Times are microseconds; looked_from is where the normal begins.

CREATE TABLE canaries (
  name        TEXT PRIMARY KEY,
  body        TEXT NOT NULL,
  revision    INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  looked_from INTEGER NOT NULL,
  due_at      INTEGER NOT NULL
);
CREATE TABLE canary_answers (
  id     INTEGER PRIMARY KEY,
  canary TEXT NOT NULL,
  at     INTEGER NOT NULL,
  body   TEXT NOT NULL
);
CREATE INDEX canary_answers_of ON canary_answers (canary, at);

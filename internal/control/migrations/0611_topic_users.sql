-- Whose run it was, as a keyed hash: erasure finds it by this.
ALTER TABLE topic_runs ADD COLUMN user_ref TEXT NOT NULL DEFAULT '';
CREATE INDEX topic_runs_user ON topic_runs (user_ref) WHERE user_ref <> '';

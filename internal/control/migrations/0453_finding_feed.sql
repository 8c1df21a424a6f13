-- The order in which findings changed, for who follows them.
ALTER TABLE findings ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
CREATE INDEX findings_seq ON findings (seq);

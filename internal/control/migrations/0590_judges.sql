-- What judges cost, and which revision of an evaluator said something: how far a
-- judge agrees with people is known of one prompt, not of its name.

ALTER TABLE evaluations ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE evaluations ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE evaluations ADD COLUMN cost_nanos INTEGER; -- NULL: unknown, or it costs nothing to ask

-- What is said of runs of mode test is in no figure. What was said before of such a run
-- counts until its run is told of again.
ALTER TABLE feedback ADD COLUMN test INTEGER NOT NULL DEFAULT 0;

-- The cases of a gate are those that security saw: a version of the data set, by whom,
-- and how many cases an experiment ran of it then. Of what was named before nobody knows
-- which cases were seen: it is approved again.
ALTER TABLE gate_sets ADD COLUMN approved_version INTEGER NOT NULL DEFAULT 0; -- 0: nobody did
ALTER TABLE gate_sets ADD COLUMN approved_cases INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gate_sets ADD COLUMN approved_born INTEGER NOT NULL DEFAULT 0; -- of the data set
ALTER TABLE gate_sets ADD COLUMN approved_by TEXT NOT NULL DEFAULT '';
ALTER TABLE gate_sets ADD COLUMN approved_at INTEGER NOT NULL DEFAULT 0;

-- When a data set was made: one that is made anew under its name is another.
ALTER TABLE datasets ADD COLUMN born INTEGER NOT NULL DEFAULT 0;

-- What of a result is counted stands in columns, so that a list reads no answers, and
-- an answer can go while its figure stays. Quotes within texts of JSON are escaped, so
-- the patterns find keys alone.
ALTER TABLE experiment_results ADD COLUMN valid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiment_results ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiment_results ADD COLUMN pair TEXT NOT NULL DEFAULT '';
ALTER TABLE experiment_results ADD COLUMN side TEXT NOT NULL DEFAULT '';
ALTER TABLE experiment_results ADD COLUMN run TEXT NOT NULL DEFAULT '';
ALTER TABLE experiment_results ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
UPDATE experiment_results SET
  valid = CASE WHEN body LIKE '%"valid":true%' THEN 1 ELSE 0 END,
  failed = CASE WHEN body LIKE '%"failed":true%' OR body NOT LIKE '%"answer":"%' THEN 1 ELSE 0 END;
UPDATE experiment_results SET pair = substr(item, 1, length(item) - 1), side = substr(item, length(item), 1)
  WHERE experiment IN (SELECT id FROM experiments WHERE kind = 'bias');
CREATE INDEX experiment_results_item ON experiment_results (item);

-- The data set on whose cases an agent has to pass, and what its gate came to.
CREATE TABLE gate_sets (
  agent    TEXT PRIMARY KEY,
  dataset  TEXT NOT NULL,
  least    INTEGER NOT NULL, -- cases
  person   TEXT NOT NULL,
  at       INTEGER NOT NULL
);
CREATE TABLE gate_results (
  id      TEXT PRIMARY KEY,
  agent   TEXT NOT NULL,
  outcome TEXT NOT NULL, -- passed, refused, overridden
  body    TEXT NOT NULL,
  at      INTEGER NOT NULL
);
CREATE INDEX gate_results_of ON gate_results (agent, at);

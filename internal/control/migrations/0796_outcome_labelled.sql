-- Runs of which somebody said how they ended are marked so on their rows: accuracy is
-- counted from them alone. Those that were decided before are looked at again.
INSERT INTO outcome_due (run, due_at)
SELECT DISTINCT run, 0 FROM outcome_evidence WHERE run <> '' AND kind IN ('person', 'event', 'feedback')
ON CONFLICT (run) DO NOTHING;

-- A person's label had the source and id of the judge in whose place it was said, so
-- that the judge's word stood in its way; one that was taken back stayed; and every
-- score of another system was a judge's word of the outcome. What was taken for
-- evidence from labels goes, and both feeds are read again from their beginning. The
-- runs are decided anew.
INSERT INTO outcome_due (run, due_at)
SELECT DISTINCT run, 0 FROM outcome_evidence WHERE kind = 'person' AND sender_id <> '' AND sender_id = named AND run <> ''
ON CONFLICT (run) DO NOTHING;
DELETE FROM outcome_evidence WHERE kind = 'person' AND sender_id <> '' AND sender_id = named;
DELETE FROM outcome_feeds WHERE feed IN ('feedback', 'evaluations');

-- Content that was dropped before its run, and before marks of that were kept: what of
-- it is found out at the next start.
INSERT INTO retention_marks (kind, environment, team, before_at)
SELECT 'unknown_content', '', '', 0 WHERE EXISTS (SELECT 1 FROM audit);

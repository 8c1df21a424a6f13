-- Whose lineage tells of a source: it stays when the source gets an owner of
-- another team.
ALTER TABLE sources ADD COLUMN sender TEXT NOT NULL DEFAULT '';
UPDATE sources SET sender = team;

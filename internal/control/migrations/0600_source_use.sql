-- A source may be taken out of use: JSON of who, why, since and until; '' in use.
ALTER TABLE sources ADD COLUMN out_of_use TEXT NOT NULL DEFAULT '';

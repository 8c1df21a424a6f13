-- When the complaint came that made a run a case: how long it takes until a gate has it.
ALTER TABLE dataset_items ADD COLUMN complained_at INTEGER NOT NULL DEFAULT 0; -- 0: nobody did; -1: not read yet
UPDATE dataset_items SET complained_at = -1 WHERE body LIKE '%"feedback_at":"%';
CREATE INDEX dataset_items_complained ON dataset_items (complained_at);

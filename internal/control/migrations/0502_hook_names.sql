-- Names of sources that were removed, and whose they were: what they said is
-- still kept under the name, and another team must not get it by taking that.

CREATE TABLE hook_names (
  name       TEXT PRIMARY KEY,
  team       TEXT NOT NULL,
  deleted_at INTEGER NOT NULL
);

-- Policies as they are now.
CREATE TABLE policies (
  name       TEXT PRIMARY KEY,
  team       TEXT NOT NULL,    -- '' everybody's, security's own
  guardrail  INTEGER NOT NULL,
  mode       TEXT NOT NULL,    -- observe, enforce
  origin     TEXT NOT NULL,    -- starter, api, file
  cedar      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  author     TEXT NOT NULL,
  revision   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

-- What each policy was. version is the set's, which decisions name: the set at
-- version n is, of each policy, the last revision with version <= n.
CREATE TABLE policy_revisions (
  policy    TEXT NOT NULL,
  revision  INTEGER NOT NULL,
  version   INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  author    TEXT NOT NULL,
  action    TEXT NOT NULL,     -- create, edit, mode, restore, delete
  reason    TEXT NOT NULL,
  team      TEXT NOT NULL,
  guardrail INTEGER NOT NULL,
  mode      TEXT NOT NULL,
  origin    TEXT NOT NULL,
  cedar     TEXT NOT NULL,     -- of a deletion: what was deleted
  PRIMARY KEY (policy, revision)
);
CREATE INDEX policy_revisions_version ON policy_revisions (version);

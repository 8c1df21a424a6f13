-- Registered outside senders of alerts and of changes, and their secrets. Times
-- are microseconds.

CREATE TABLE hooks (
  name       TEXT PRIMARY KEY,
  purpose    TEXT NOT NULL, -- alerts, changes
  kind       TEXT NOT NULL,
  team       TEXT NOT NULL,
  registered INTEGER NOT NULL,
  body       TEXT NOT NULL, -- JSON: description, environment, auth, mapping...
  revision   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deliveries INTEGER NOT NULL DEFAULT 0,
  refused    INTEGER NOT NULL DEFAULT 0,
  forged     INTEGER NOT NULL DEFAULT 0,
  last_at    INTEGER NOT NULL DEFAULT 0,
  refused_at INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE hook_secrets (
  id         TEXT PRIMARY KEY,
  hook       TEXT NOT NULL REFERENCES hooks (name) ON DELETE CASCADE,
  secret     TEXT NOT NULL, -- hash:, plain: or sealed:
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL DEFAULT 0, -- 0: does not
  used_at    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX hook_secrets_hook ON hook_secrets (hook);

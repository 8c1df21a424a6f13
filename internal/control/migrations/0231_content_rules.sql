-- What happens to secrets and personal data in content.
CREATE TABLE content_rules (
  name       TEXT PRIMARY KEY,
  body       TEXT NOT NULL, -- JSON of what people set
  revision   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

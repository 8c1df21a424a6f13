-- The tools of MCP servers as they were listed and as people accepted them.
CREATE TABLE tools (
  upstream   TEXT NOT NULL,
  name       TEXT NOT NULL,
  listed     TEXT NOT NULL, -- hash of the definition that the server listed last
  accepted   TEXT NOT NULL, -- hash of the one that a person accepted; '' none
  state      TEXT NOT NULL, -- accepted, held
  body       TEXT NOT NULL, -- JSON of all else
  revision   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (upstream, name)
);

CREATE TABLE tool_versions (
  upstream    TEXT NOT NULL,
  tool        TEXT NOT NULL,
  hash        TEXT NOT NULL,
  definition  TEXT NOT NULL, -- JSON
  first_seen  INTEGER NOT NULL,
  last_seen   INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL, -- 0 never
  accepted_by TEXT NOT NULL,
  PRIMARY KEY (upstream, tool, hash)
);

-- Every reason why a tool was held: open until the tool was accepted.
CREATE TABLE tool_findings (
  id        INTEGER PRIMARY KEY,
  upstream  TEXT NOT NULL,
  tool      TEXT NOT NULL,
  code      TEXT NOT NULL,
  text      TEXT NOT NULL,
  detail    TEXT NOT NULL,
  hash      TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER NOT NULL, -- 0 open
  closed_by TEXT NOT NULL,
  resolution TEXT NOT NULL    -- accepted, forgotten, superseded
);
CREATE INDEX tool_findings_open ON tool_findings (closed_at, upstream, tool);
CREATE INDEX tool_findings_at ON tool_findings (opened_at);

-- Audits of sources that ask an agent by themselves. Times are microseconds.

CREATE TABLE source_audit_plans (
  source  TEXT PRIMARY KEY REFERENCES sources (name) ON DELETE CASCADE,
  running TEXT NOT NULL, -- the experiment that asks now; '' none
  next_at INTEGER NOT NULL,
  body    TEXT NOT NULL -- JSON: source.AuditPlan
);
CREATE INDEX source_audit_plans_at ON source_audit_plans (next_at);

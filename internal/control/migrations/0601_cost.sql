-- How an organisation counts money, each revision, and which monthly reports went
-- out. Times are microseconds.

CREATE TABLE cost_settings (
  revision INTEGER PRIMARY KEY,
  body     TEXT NOT NULL, -- JSON
  person   TEXT NOT NULL,
  at       INTEGER NOT NULL
);

CREATE TABLE cost_reports (
  month TEXT PRIMARY KEY, -- 2026-11
  at    INTEGER NOT NULL
);

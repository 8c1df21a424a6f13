-- Channels to people, what was sent on each with its answer, who is on call, and
-- pages that go on until somebody answers. Times are microseconds.

CREATE TABLE channels (
  name       TEXT PRIMARY KEY,
  kind       TEXT NOT NULL,
  team       TEXT NOT NULL, -- '' all teams
  body       TEXT NOT NULL, -- JSON without secrets
  secret     BLOB NOT NULL, -- sealed
  revision   INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE deliveries (
  id         TEXT PRIMARY KEY,
  channel    TEXT NOT NULL,
  purpose    TEXT NOT NULL, -- page, approval, notice, test, sync
  object     TEXT NOT NULL, -- what it is about
  page       TEXT NOT NULL, -- '' none
  state      TEXT NOT NULL, -- queued, claimed, sent, failed, unknown, cancelled
  created_at INTEGER NOT NULL,
  next_at    INTEGER NOT NULL,
  done_at    INTEGER NOT NULL, -- 0: not
  attempts   INTEGER NOT NULL,
  body       TEXT NOT NULL -- JSON: the message, and each answer
);
CREATE INDEX deliveries_due ON deliveries (state, next_at);
CREATE INDEX deliveries_created ON deliveries (created_at);
CREATE INDEX deliveries_object ON deliveries (object, created_at);

CREATE TABLE chat_accounts (
  channel   TEXT NOT NULL,
  account   TEXT NOT NULL, -- the chat's own id of a user
  person    TEXT NOT NULL,
  linked_at INTEGER NOT NULL,
  PRIMARY KEY (channel, account)
);

CREATE TABLE oncall_schedules (
  name       TEXT PRIMARY KEY,
  team       TEXT NOT NULL,
  body       TEXT NOT NULL,
  revision   INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE oncall_policies (
  name       TEXT PRIMARY KEY,
  team       TEXT NOT NULL, -- '' for teams without one
  body       TEXT NOT NULL,
  revision   INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE TABLE oncall_contacts (
  person TEXT PRIMARY KEY,
  body   TEXT NOT NULL
);

CREATE TABLE pages (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL, -- incident, approval
  object     TEXT NOT NULL,
  team       TEXT NOT NULL,
  state      TEXT NOT NULL, -- paging, answered, exhausted, ended
  created_at INTEGER NOT NULL,
  ended_at   INTEGER NOT NULL,
  body       TEXT NOT NULL
);
CREATE INDEX pages_object ON pages (object, created_at);
CREATE INDEX pages_state ON pages (state, created_at);

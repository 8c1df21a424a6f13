-- Peers: agents behind upstreams of kind a2a.

-- Whose a task or a context at a peer is. Ids are the peer's; owner is a digest
-- of agent, credential and user.
CREATE TABLE a2a_tasks (
  upstream   TEXT NOT NULL,
  kind       TEXT NOT NULL, -- task, context, held
  id         TEXT NOT NULL,
  owner      TEXT NOT NULL,
  agent      TEXT NOT NULL,
  instance   TEXT NOT NULL,
  credential TEXT NOT NULL, -- its public id
  person     TEXT NOT NULL, -- whom the agent acted for, as in decisions
  team       TEXT NOT NULL,
  context    TEXT NOT NULL, -- of a task
  state      TEXT NOT NULL, -- of a task, as last seen
  updated    INTEGER NOT NULL, -- us
  PRIMARY KEY (upstream, kind, id)
);
CREATE INDEX a2a_tasks_updated ON a2a_tasks (updated);

-- What systems of paging and tickets told us of what we had sent them.
CREATE TABLE channel_states (
  channel TEXT NOT NULL,
  event TEXT NOT NULL, -- the receiver's id of the change
  told_key TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL, -- by the receiver's clock
  arrived_at INTEGER NOT NULL,
  outcome TEXT NOT NULL, -- done, late, nothing, refused
  body TEXT NOT NULL,
  PRIMARY KEY (channel, event)
);
CREATE INDEX channel_states_key ON channel_states (channel, told_key, at);
CREATE INDEX channel_states_arrived ON channel_states (arrived_at);

-- Work that goes on at a provider after its call has ended (background: true), so
-- that a stop can cancel it after a restart too.
CREATE TABLE model_jobs (
  upstream TEXT NOT NULL,
  id       TEXT NOT NULL, -- the provider's
  agent    TEXT NOT NULL,
  at       INTEGER NOT NULL, -- us
  job      TEXT NOT NULL, -- JSON
  PRIMARY KEY (upstream, id)
);

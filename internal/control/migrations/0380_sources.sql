-- What agents read: datasets, corpora and indexes, with the versions that they
-- had and the jobs that made them. Found ones come from lineage and have no
-- owner until somebody registers them. Times are microseconds.

CREATE TABLE sources (
  name       TEXT PRIMARY KEY,
  namespace  TEXT NOT NULL, -- of lineage; '' none
  dataset    TEXT NOT NULL, -- its name there
  team       TEXT NOT NULL,
  kind       TEXT NOT NULL,
  registered INTEGER NOT NULL,
  body       TEXT NOT NULL, -- JSON of what people said
  found      TEXT NOT NULL, -- JSON of what senders said
  revision   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (team, namespace, dataset)
);

CREATE TABLE source_versions (
  source  TEXT NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
  version TEXT NOT NULL,
  at      INTEGER NOT NULL, -- when it was good
  job     TEXT NOT NULL,
  run     TEXT NOT NULL,    -- of the job
  items   INTEGER NOT NULL, -- rows; -1 unknown
  PRIMARY KEY (source, version)
);
CREATE INDEX source_versions_at ON source_versions (source, at);

CREATE TABLE source_job_runs (
  team  TEXT NOT NULL,
  job   TEXT NOT NULL, -- namespace/name
  run   TEXT NOT NULL,
  state TEXT NOT NULL, -- running, complete, failed, aborted, skipped
  at    INTEGER NOT NULL,
  note  TEXT NOT NULL,
  PRIMARY KEY (team, job, run)
);
CREATE INDEX source_job_runs_at ON source_job_runs (team, job, at);

CREATE TABLE source_edges (
  team    TEXT NOT NULL,
  job     TEXT NOT NULL,
  source  TEXT NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
  outward INTEGER NOT NULL, -- 1: the job writes it
  at      INTEGER NOT NULL, -- last seen
  PRIMARY KEY (team, job, source, outward)
);
CREATE INDEX source_edges_source ON source_edges (source, outward);

CREATE TABLE source_checks (
  source TEXT NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
  name   TEXT NOT NULL,
  ok     INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  note   TEXT NOT NULL,
  PRIMARY KEY (source, name)
);

CREATE TABLE source_documents (
  source    TEXT NOT NULL REFERENCES sources (name) ON DELETE CASCADE,
  document  TEXT NOT NULL,
  version   TEXT NOT NULL,
  crawled   INTEGER NOT NULL,
  modified  INTEGER NOT NULL, -- where it came from; 0 unknown
  chunks    INTEGER NOT NULL, -- -1 unknown
  embedding TEXT NOT NULL,
  title     TEXT NOT NULL,
  uri       TEXT NOT NULL,
  PRIMARY KEY (source, document, version)
);
CREATE INDEX source_documents_crawled ON source_documents (source, document, crawled);

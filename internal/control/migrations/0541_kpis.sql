-- KPIs that people defined, and the assumptions of the value ledger; every version.

CREATE TABLE kpi_versions (
  id      TEXT NOT NULL,
  version INTEGER NOT NULL,
  body    TEXT NOT NULL, -- '' where it was dropped
  person  TEXT NOT NULL,
  reason  TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (id, version)
);

CREATE TABLE value_assumptions (
  version INTEGER PRIMARY KEY,
  body    TEXT NOT NULL,
  person  TEXT NOT NULL,
  reason  TEXT NOT NULL,
  at      INTEGER NOT NULL
);

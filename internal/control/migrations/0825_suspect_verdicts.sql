-- Of failed runs the step that a person named as the one where it went wrong, with the
-- evidence on its steps as numbers: what the order of suspects learns from.
CREATE TABLE suspect_verdicts (
    run         TEXT PRIMARY KEY,
    team        TEXT NOT NULL,
    environment TEXT NOT NULL,
    agent       TEXT NOT NULL,
    step        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    example     TEXT NOT NULL,
    reason      TEXT NOT NULL,
    person      TEXT NOT NULL,
    person_name TEXT NOT NULL,
    at          BIGINT NOT NULL
);
CREATE INDEX suspect_verdicts_by_team ON suspect_verdicts (team, at);

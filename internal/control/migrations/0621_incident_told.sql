-- Whom an incident's message went to: each user once. who is a hash of the user,
-- so that nobody reads from here whom it touched. Times are microseconds.

CREATE TABLE incident_told (
  incident TEXT NOT NULL,
  who      TEXT NOT NULL,
  act      TEXT NOT NULL, -- the message's number of the incident
  delivery TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (incident, who)
);
CREATE INDEX incident_told_act ON incident_told (act);

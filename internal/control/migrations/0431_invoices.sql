-- Invoices and usage exports of providers, as they were read. Amounts are
-- millionths of the currency; absent figures are NULL.

CREATE TABLE invoices (
  id         TEXT PRIMARY KEY, -- of the file's hash
  name       TEXT NOT NULL,
  format     TEXT NOT NULL,
  rate       REAL NOT NULL,    -- dollars for one unit of its currency; 0 unknown
  lines      INTEGER NOT NULL,
  first_day  TEXT NOT NULL,
  last_day   TEXT NOT NULL,
  person     TEXT NOT NULL,
  created_at INTEGER NOT NULL
);

CREATE TABLE invoice_lines (
  invoice  TEXT NOT NULL REFERENCES invoices (id) ON DELETE CASCADE,
  day      TEXT NOT NULL,
  provider TEXT NOT NULL,
  model    TEXT NOT NULL,
  currency TEXT NOT NULL,
  micros   INTEGER,
  input    INTEGER,
  output   INTEGER,
  cached   INTEGER,
  requests INTEGER
);
CREATE INDEX invoice_lines_invoice ON invoice_lines (invoice);

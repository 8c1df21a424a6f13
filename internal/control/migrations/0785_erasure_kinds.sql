-- What an erasure was of: a user, a session, a run. It does not say which.
ALTER TABLE erasures ADD COLUMN of_what TEXT NOT NULL DEFAULT 'user';

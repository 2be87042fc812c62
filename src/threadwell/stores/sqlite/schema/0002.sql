-- Every version of a project in the order of its commit, numbered without a gap: what those who
-- follow a project are told.
CREATE TABLE change (
  pid INTEGER NOT NULL,
  position INTEGER NOT NULL,
  rid INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (pid, position)
) STRICT, WITHOUT ROWID;

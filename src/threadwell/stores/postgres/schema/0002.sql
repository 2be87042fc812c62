-- Every version of a project in the order of its commit, numbered without a gap: what those who
-- follow a project are told.
CREATE TABLE change (
  pid bigint NOT NULL,
  position bigint NOT NULL,
  rid bigint NOT NULL,
  number bigint NOT NULL,
  PRIMARY KEY (pid, position)
);

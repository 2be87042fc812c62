-- The tables of every project and resource type, as docs/adr/0005-postgresql.md shows them by
-- example. Every table of a project's own has the project's number in its key, so that it can be
-- distributed by it. Texts that are compared or ordered are bytes: their order is that of their
-- code points, whatever the collation of the database is.

CREATE TABLE setting (name text PRIMARY KEY, value bytea NOT NULL);

CREATE TABLE project (
  pid bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE
);

-- Numbers resources in the order of their creation.
CREATE SEQUENCE rid;

-- The current version of each resource. Room is left in each page, so that most updates change
-- no index.
CREATE TABLE resource (
  pid bigint NOT NULL,
  rid bigint NOT NULL,
  type text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  version_id text COLLATE "C" NOT NULL,
  updated bigint NOT NULL,
  deleted boolean NOT NULL,
  present bigint NOT NULL,
  sort bigint NOT NULL,
  author text NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (pid, rid)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX resource_id ON resource (id, type, pid);

-- What each version was before the next one took its place.
CREATE TABLE version (
  pid bigint NOT NULL,
  rid bigint NOT NULL,
  number bigint NOT NULL,
  version_id text COLLATE "C" NOT NULL,
  updated bigint NOT NULL,
  deleted boolean NOT NULL,
  author text NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (pid, rid, number)
);

-- The bytes of Binary resources, of every version that had some.
CREATE TABLE content (
  pid bigint NOT NULL,
  rid bigint NOT NULL,
  version_id text COLLATE "C" NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (pid, rid, version_id)
);
-- Images and documents are compressed as they come.
ALTER TABLE content ALTER bytes SET STORAGE EXTERNAL;

-- The inverted index: which resources have a value, in an order.
CREATE TABLE posting (
  pid bigint NOT NULL,
  key bigint NOT NULL,
  sort bigint NOT NULL,
  rid bigint NOT NULL,
  PRIMARY KEY (pid, key, sort, rid)
);

-- Texts for searches by their beginning or any part of them. Only the beginning is in the index,
-- whose entries have a limit.
CREATE TABLE folded (
  pid bigint NOT NULL,
  key bigint NOT NULL,
  rid bigint NOT NULL,
  beginning bytea NOT NULL,
  text bytea NOT NULL
);
CREATE INDEX folded_beginning ON folded (pid, key, beginning, rid);

-- What the server keeps for itself: keys, clients. Never part of the FHIR data.
CREATE TABLE private (
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  value bytea NOT NULL,
  PRIMARY KEY (kind, name)
);

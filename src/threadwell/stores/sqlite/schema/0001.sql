-- One database for every project and resource type. docs/adr/0003-sqlite-layout.md shows a row of
-- each table and the query that it serves.

CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE project (pid INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- The current version of each resource; rid grows with creation.
CREATE TABLE resource (
  rid INTEGER PRIMARY KEY,
  pid INTEGER NOT NULL,
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  number INTEGER NOT NULL,
  version_id TEXT NOT NULL,
  updated INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  present INTEGER NOT NULL,
  sort INTEGER NOT NULL,
  author TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX resource_id ON resource (id, type, pid);

-- What each version was before the next one took its place.
CREATE TABLE version (
  rid INTEGER NOT NULL,
  number INTEGER NOT NULL,
  version_id TEXT NOT NULL,
  updated INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  author TEXT NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX version_number ON version (rid, number);

-- The bytes of Binary resources, of every version that had some.
CREATE TABLE content (
  rid INTEGER NOT NULL,
  version_id TEXT NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX content_version ON content (rid, version_id);

-- The inverted index: which resources have a value, in an order.
CREATE TABLE posting (
  key INTEGER NOT NULL,
  sort INTEGER NOT NULL,
  rid INTEGER NOT NULL,
  PRIMARY KEY (key, sort, rid)
) STRICT, WITHOUT ROWID;

-- Texts in their own order, for searches by their beginning or any part of them.
CREATE TABLE text (
  key INTEGER NOT NULL,
  folded TEXT NOT NULL,
  rid INTEGER NOT NULL,
  PRIMARY KEY (key, folded, rid)
) STRICT, WITHOUT ROWID;

-- What the server keeps for itself: keys, clients. Never part of the FHIR data.
CREATE TABLE private (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

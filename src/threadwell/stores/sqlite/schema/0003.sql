-- New entries of the index that wait to go into it, until somebody searches or there are many: what
-- an import has committed goes in by few walks over the index. ``first`` is the rid of the first of
-- the resources that they are of; ``lists`` are the keys, ``image`` the entries.
CREATE TABLE sheet (
  first INTEGER PRIMARY KEY,
  lists BLOB NOT NULL,
  image BLOB NOT NULL
) STRICT;

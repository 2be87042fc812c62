#!/usr/bin/env bash
# Polars hands Python another moment than it holds.
#
# Packages   polars 2.1.0 with tzdata 2026.6 (release 2026f), CPython's zoneinfo
# Expected   `Series.to_list()` of aware times gives datetimes of the same moments; at worst another
#            wall time, where the two sides know different rules of a zone
# Seen       Polars has its own zone data built in (2025b: Vancouver goes back to -08 in November
#            2026). It computes the wall time by that, and attaches Python's zone, which knows -07.
#            The moment that arrives is an hour earlier: 07:30 UTC becomes 06:30 UTC
# So         keep times in UTC inside a dataframe, and convert to a zone in one place only. A day of
#            care that is counted by such a column may be another day
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check polars==2.1.0 tzdata==2026.6
PYTHONTZPATH="" "$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime

import polars

sent = datetime(2026, 11, 15, 7, 30, tzinfo=UTC)
column = polars.Series([sent]).dt.convert_time_zone("America/Vancouver")
[back] = column.to_list()
inside = column.dt.to_string("%F %R %z").item()
print("put in     ", sent.isoformat())
print("in Polars  ", inside)
print("in Python  ", back.isoformat(), "=", back.astimezone(UTC).isoformat())
assert inside == "2026-11-14 23:30 -0800", inside
assert column.dt.convert_time_zone("UTC").to_list() == [sent], "in UTC the moment is kept"
assert back.isoformat() == "2026-11-14T23:30:00-07:00", back
assert back.astimezone(UTC) == datetime(2026, 11, 15, 6, 30, tzinfo=UTC), back
PYTHON

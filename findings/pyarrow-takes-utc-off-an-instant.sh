#!/usr/bin/env bash
# pyarrow's JSON reader takes the zone off instants, if all of them are of whole seconds.
#
# Package    pyarrow 26.0.1 with tzdata 2026.6
# Expected   `2024-05-13T23:30:00Z` is read as text, or as a timestamp in UTC (`timestamp[s, tz=UTC]`)
# Seen       it is a timestamp without a zone, which Python has as a naive datetime: `.timestamp()` and
#            `.astimezone()` take it for the machine's own time, four hours off in New York. With -04:00 it is
#            turned to UTC, and then bare as well. One value with a fraction anywhere in the file, and all of the
#            column is text. Days of birth become midnights, unless one of them is a year alone
# So         give `read_json` an explicit schema with `string` for each date, dateTime and instant
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pyarrow==26.0.1 tzdata==2026.6
TZ=America/New_York "$folder/venv/bin/python" - <<'PYTHON'
import json
from datetime import UTC, datetime
from io import BytesIO

import pyarrow
from pyarrow.json import ParseOptions, read_json


def read(name: str, *values: str, **more: object) -> pyarrow.ChunkedArray:
    lines = "".join(json.dumps({name: value}) + "\n" for value in values)
    column = read_json(BytesIO(lines.encode()), **more).column(name)
    print(*values, "->", column.type, column.to_pylist())
    return column


whole = "2024-05-13T23:30:00Z"
column = read("lastUpdated", whole, "2024-05-13T23:30:01Z")
assert column.type == pyarrow.timestamp("s"), column.type
first = column.to_pylist()[0]
assert first == datetime(2024, 5, 13, 23, 30), first
assert first.tzinfo is None
assert first.astimezone(UTC) == datetime(2024, 5, 14, 3, 30, tzinfo=UTC), "New York's time"
assert read("lastUpdated", "2024-05-13T19:30:00-04:00").to_pylist() == [first]
fraction = "2024-05-13T23:30:01.5Z"
assert read("lastUpdated", whole, fraction).to_pylist() == [whole, fraction]
assert read("birthDate", "1980-01-02").to_pylist() == [datetime(1980, 1, 2)]
assert read("birthDate", "1980-01-02", "1981").to_pylist() == ["1980-01-02", "1981"]
told = ParseOptions(explicit_schema=pyarrow.schema([("lastUpdated", pyarrow.string())]))
assert read("lastUpdated", whole, parse_options=told).to_pylist() == [whole]
PYTHON

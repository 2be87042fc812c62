#!/usr/bin/env bash
# FHIR NDJSON that goes through DuckDB's JSON reader and writer has other ids and no valid instants.
#
# Package    duckdb 2.0.1
# Expected   `read_json` guesses types for convenience; texts come back as they were. At worst
#            decimals lose a zero (1.10)
# Seen       a logical id that looks like a UUID is read as one and written in lower case: to FHIR,
#            whose ids are case-sensitive, that is another resource. A reference to it is text and
#            stays, so it leads nowhere. An instant loses its T, the minutes of its offset and its
#            last zero: `2024-05-13 08:00:00.12+00` is no FHIR instant
# So         name the columns of `read_json` as VARCHAR or JSON, or read lines as text
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check duckdb==2.0.1
cat > "$folder/in.ndjson" <<'NDJSON'
{"resourceType":"Observation","id":"C0FFEE00-0000-4000-8000-00000000000A","status":"final","issued":"2024-05-13T10:00:00.120+02:00","derivedFrom":[{"reference":"Observation/C0FFEE00-0000-4000-8000-00000000000B"}]}
{"resourceType":"Observation","id":"C0FFEE00-0000-4000-8000-00000000000B","status":"final","issued":"2024-05-13T10:05:00.000+02:00"}
NDJSON
cd "$folder"
venv/bin/python - <<'PYTHON'
import json

import duckdb

duckdb.sql("set timezone = 'UTC'")
duckdb.sql("copy (from read_json('in.ndjson')) to 'out.ndjson' (format json)")
before = [json.loads(line) for line in open("in.ndjson")]
after = [json.loads(line) for line in open("out.ndjson")]
for one in ("id", "issued"):
    print(f"{one:8}", before[0][one], "->", after[0][one])
print("reference", after[0]["derivedFrom"][0]["reference"])
assert after[0]["id"] == before[0]["id"].lower() != before[0]["id"]
assert after[0]["derivedFrom"] == before[0]["derivedFrom"], "the reference leads nowhere now"
assert after[0]["issued"] == "2024-05-13 08:00:00.12+00", after[0]["issued"]
PYTHON

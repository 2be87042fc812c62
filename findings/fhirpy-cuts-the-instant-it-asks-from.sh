#!/usr/bin/env bash
# fhirpy leaves out the fraction of a second of a datetime that it searches by.
#
# Package    fhirpy 2.3.1
# Expected   _lastUpdated=gt with a datetime of 10:00:00.987654 asks for what is newer than that: R4
#            instants and dateTimes have fractions, and servers keep them
# Seen       the request says gt10:00:00Z, without a word: what was updated in that second comes again
#            with each round of a client that goes on from the last lastUpdated it saw; with `lt` the
#            rest of the second is never found
# So         give the time as a text with its fraction
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check fhirpy==2.3.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from datetime import UTC, datetime

from fhirpy import SyncFHIRClient

encounters = SyncFHIRClient("http://127.0.0.1:9/fhir").resources("Encounter")
seen = datetime(2026, 3, 1, 10, 0, 0, 987654, tzinfo=UTC)
by_datetime = str(encounters.search(_lastUpdated__gt=seen))
by_text = str(encounters.search(_lastUpdated__gt=seen.isoformat()))
print(by_datetime)
print(by_text)
assert "gt2026-03-01T10:00:00Z" in by_datetime
assert "10:00:00.987654" in by_text
PYTHON

#!/usr/bin/env bash
# fhir.resources changes times and decimals that it only reads and writes.
#
# Package    fhir.resources 8.3.0 (R4B models)
# Expected   what was read is written as it was, or refused: the precision of times
#            and decimals has a meaning in R4
# Seen       nine digits of a second become six, without a word: the time is another one, and a
#            server that finds times by their own value does not find it. Three become six, and
#            1.10 becomes 1.1
# So         keep the bytes that a server sent; compare such times to the microsecond at most
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check fhir.resources==8.3.0
"$folder/venv/bin/python" - <<'PYTHON'
import json

from fhir.resources.R4B.communication import Communication
from fhir.resources.R4B.observation import Observation


def sent(time):
    text = json.dumps({"resourceType": "Communication", "status": "completed", "sent": time})
    back = json.loads(Communication.model_validate_json(text).model_dump_json())["sent"]
    print(time, "->", back)
    return back


assert sent("2024-05-13T15:04:00.123456789Z") == "2024-05-13T15:04:00.123456Z"
assert sent("2024-05-13T15:04:00.120-04:00") == "2024-05-13T15:04:00.120000-04:00"
assert sent("2024-05-13T15:04:00+00:00") == "2024-05-13T15:04:00Z"
weight = (
    '{"resourceType":"Observation","status":"final","code":{"text":"dose"},'
    '"valueQuantity":{"value":1.10}}'
)
back = Observation.model_validate_json(weight).model_dump_json()
print("1.10 ->", back)
assert '"value":1.1}' in back, back
PYTHON

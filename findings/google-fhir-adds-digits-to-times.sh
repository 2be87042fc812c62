#!/usr/bin/env bash
# Google's FHIR protos give a time more digits than it had, and take none with seven.
#
# Package    google-fhir-r4 0.11.0 (PyPI; Python below 3.12)
# Expected   a dateTime leaves as it came: `…:00.1Z` says a tenth of a second, and R4 lets it have any
#            number of digits
# Seen       digits are filled up to three or six: `.1` leaves as `.100`, `.1234` as `.123400`, and a
#            search by the written precision finds less. `.1234567`, as .NET writes times, is an
#            "Invalid DateTime", so is the second 60 that R4 allows
# So         keep the text of times beside the proto where their precision matters
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.11 || command -v python3.10)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check google-fhir-r4==0.11.0
"$folder/venv/bin/python" - <<'PYTHON'
import json

from google.fhir.r4 import json_format
from google.fhir.r4.proto.core.resources.communication_pb2 import Communication


def through(fraction, second="00"):
    sent = f"2020-05-26T10:00:{second}{fraction}Z"
    text = json.dumps({"resourceType": "Communication", "status": "completed", "sent": sent})
    try:
        proto = json_format.json_fhir_string_to_proto(text, Communication)
        out = json.loads(json_format.print_fhir_to_json_string(proto))["sent"]
    except Exception as error:
        out = str(error)
    print(sent, "->", out)
    return out


assert through("") == "2020-05-26T10:00:00Z"
assert through(".123") == "2020-05-26T10:00:00.123Z"
assert through(".1") == "2020-05-26T10:00:00.100Z"
assert through(".1234") == "2020-05-26T10:00:00.123400Z"
assert "Invalid DateTime" in through(".1234567")
assert "Invalid DateTime" in through("", second="60")
PYTHON

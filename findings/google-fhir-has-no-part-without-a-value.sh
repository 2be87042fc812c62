#!/usr/bin/env bash
# Google's FHIR protos read no list in which one value is missing and told of by an extension.
#
# Package    google-fhir-r4 0.11.0 (PyPI; Python below 3.12)
# Expected   `"given": ["Ana", null]` with `"_given": [null, {"extension": […]}]`, R4's way to say that
#            there is a second given name that is not known (§2.6.2.3), is read as `_birthDate` without
#            a `birthDate` is
# Seen       it is refused: "Unable to find pattern", as if the name were an empty text
# So         take such entries out before, and put them back afterwards
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3.11 || command -v python3.10)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check google-fhir-r4==0.11.0
"$folder/venv/bin/python" - <<'PYTHON'
import json

from google.fhir.r4 import json_format
from google.fhir.r4.proto.core.resources.patient_pb2 import Patient

url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
unknown = {"extension": [{"url": url, "valueCode": "unknown"}]}


def through(**elements):
    text = json.dumps({"resourceType": "Patient", **elements})
    proto = json_format.json_fhir_string_to_proto(text, Patient)
    return json.loads(json_format.print_fhir_to_json_string(proto))


print(through(_birthDate=unknown))
assert through(_birthDate=unknown)["_birthDate"] == unknown
name = {"given": ["Ana", None], "_given": [None, unknown]}
try:
    through(name=[name])
except Exception as error:
    print(name, "->", type(error).__name__, error)
    assert type(error).__name__ == "InvalidFhirError"
else:
    raise SystemExit("it is read by now")
PYTHON

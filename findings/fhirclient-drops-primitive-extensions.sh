#!/usr/bin/env bash
# fhirclient reads an extension of a primitive without a word, and writes the resource without it.
#
# Package    fhirclient 4.4.0 (SMART on FHIR's Python client)
# Expected   its models are strict: an element that they do not know raises FHIRValidationError. So
#            `_birthDate` is kept, or refused
# Seen       it is neither: the model accepts `_birthDate` and `_given`, and `as_json()` has them no
#            more. Of `given: ["Ana", null]` the null stays without its extension, which R4 forbids
#            (§2.6.2.3), so a server refuses what was valid when it came
# So         an update of a resource by way of this client loses data-absent-reason and the like;
#            patch single elements instead
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check fhirclient==4.4.0
"$folder/venv/bin/python" - <<'PYTHON'
from fhirclient.models.fhirabstractbase import FHIRValidationError
from fhirclient.models.patient import Patient

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
unknown = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
patient = {
    "resourceType": "Patient",
    "_birthDate": unknown,
    "name": [{"given": ["Ana", None], "_given": [None, unknown]}],
}
back = Patient(patient).as_json()
print("put in ", patient)
print("got out", back)
assert back == {"resourceType": "Patient", "name": [{"given": ["Ana", None]}]}, back
try:
    Patient({"resourceType": "Patient", "birthday": "1980"})
except FHIRValidationError as error:
    print("while an unknown element is refused:", str(error).splitlines()[-1].strip())
else:
    raise SystemExit("an unknown element is accepted too")
PYTHON

#!/usr/bin/env bash
# fhiry gives a group, a device and half an address as the patient's id.
#
# Package    fhiry 5.2.2, FHIR bundles as data frames
# Expected   `patientId` is the id of the patient whom a resource is about: `p1` of `Patient/p1`, also
#            where the reference is absolute or has a version (R4 §2.3.0.1); nothing where the subject
#            is a Group or a Device
# Seen       `Group/g1` and `Device/d9` are patients' ids, and of `https://…/fhir/Patient/p2/_history/3`
#            it is `https://…/fhir/p2/_history/3`: `Patient/` is cut out wherever it stands. A count by
#            `patientId` counts p2 twice, and devices as people
# So         take the ids out of `subject.reference` yourself, by the reference's type
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check fhiry==5.2.2
cd "$folder"
venv/bin/python - <<'PYTHON'
import contextlib
import io
import json
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
from fhiry import Fhiry

SUBJECTS = {
    "Patient/p1": "p1",
    "Patient/p2": "p2",
    "https://ehr.example/fhir/Patient/p2/_history/3": "https://ehr.example/fhir/p2/_history/3",
    "Group/g1": "Group/g1",
    "Device/d9": "Device/d9",
}
entries = [
    {
        "resource": {
            "resourceType": "Observation",
            "id": f"o{number}",
            "status": "final",
            "code": {"text": "Body temperature"},
            "subject": {"reference": subject},
        }
    }
    for number, subject in enumerate(SUBJECTS)
]
bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
Path("bundle.json").write_text(json.dumps(bundle))
frames = Fhiry()
frames.filename = "bundle.json"
with contextlib.redirect_stdout(io.StringIO()):
    frames.process_source()
found = list(frames.df["patientId"])
for subject, patient in zip(SUBJECTS, found, strict=True):
    print(f"{subject} -> {patient}")
assert found == list(SUBJECTS.values()), found
PYTHON

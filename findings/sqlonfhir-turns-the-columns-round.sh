#!/usr/bin/env bash
# sqlonfhir hands out a row's columns from the last to the first, and mistakes one constant for another.
#
# Package    sqlonfhir 0.0.2 with fhirpathpy 2.1.0, views of SQL on FHIR v2 in Python
# Expected   columns come in the order in which the view has them (SQL on FHIR v2, Column Ordering: a MUST). %use_two is
#            the constant of that name, an apostrophe in a constant a letter of its text, and constants are known
#            wherever an expression stands. getReferenceKey(Patient) is equal to the patient's own
#            getResourceKey(), or else empty: so too of a reference with a version (R4 §2.3.0.1)
# Seen       a row of three selects is {family, birth, id}: rows that are put into a table by their places have names in
#            the column of ids. %use_two is read as %use with `_two` behind it: no row, where there is one. A name
#            with an apostrophe gives null, and a constant in forEachOrNull an error. The key of a reference
#            with a version is `p1/_history/3`, which joins with nobody
# So         take columns by their names, give constants names of which none begins with another, and cut versions
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check sqlonfhir==0.0.2 fhirpathpy==2.1.0
cat >seen.py <<'PYTHON'
from copy import deepcopy
from typing import Any

from sqlonfhir import evaluate

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "birthDate": "1980-02-29",
    "name": [{"use": "official", "family": "O'Doe"}],
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"text": "glucose"},
    "subject": {"reference": "Patient/p1/_history/3"},
}


def column(name: str, path: str) -> dict[str, Any]:
    return {"column": [{"name": name, "path": path}]}


def rows(resource: dict[str, Any], *select: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    view = {"resource": resource["resourceType"], "select": list(select), **more}
    found = evaluate([deepcopy(resource)], deepcopy(view))
    print([list(row.items()) for row in found])
    return found


family = {"forEach": "name", **column("family", "family")}
[row] = rows(PATIENT, column("id", "id"), column("birth", "birthDate"), family)
assert list(row.items()) == [("family", "O'Doe"), ("birth", "1980-02-29"), ("id", "p1")], row

use = {"name": "use", "valueString": "sodium"}
use_two = {"name": "use_two", "valueString": "glucose"}
is_two = [{"path": "code.text = %use_two"}]
both = {"where": is_two, "constant": [use, use_two]}
assert rows(OBSERVATION, column("id", "id"), **both) == []
turned = {"where": is_two, "constant": [use_two, use]}
assert rows(OBSERVATION, column("id", "id"), **turned) == [{"id": "o1"}]

name = [{"name": "family", "valueString": "O'Doe"}]
known = column("known", "name.where(family = %family).exists()")
assert rows(PATIENT, known, constant=name) == [{"known": None}]
official = [{"name": "use", "valueCode": "official"}]
for loop in ("forEach", "forEachOrNull"):
    select = {loop: "name.where(use = %use)", **column("family", "family")}
    try:
        found = rows(PATIENT, select, constant=official)
    except ValueError as error:
        print(loop, error)
        assert loop == "forEachOrNull", error
    else:
        assert (loop, found) == ("forEach", [{"family": "O'Doe"}]), found

key = column("patient", "subject.getReferenceKey(Patient)")
assert rows(OBSERVATION, key) == [{"patient": "p1/_history/3"}]
assert rows(PATIENT, column("patient", "getResourceKey()")) == [{"patient": "p1"}]
PYTHON
venv/bin/python seen.py 2>log

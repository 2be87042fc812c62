#!/usr/bin/env bash
# fhirpathrs finds no systolic pressure above 140, of a patient who has 162.
#
# Package    fhirpathrs 0.1.5, FHIRPath in Rust for Python
# Expected   `value` stands for each valueX of a resource, at its root and below (R4, FHIRPath, §2.9.1.1: polymorphism),
#            and ofType(Quantity) keeps a Quantity with its elements. What is neither smaller nor larger than
#            a quantity in other units of the same kind is equal to it, or the answer is empty (FHIRPath N1, §6.1.1).
#            The lowBoundary() of 1.1 is 1.05
# Seen       `component.value` is found, and `component.value.value` is nothing, so a rule with `> 140` holds for nobody;
#            at the root the same words are right, but behind `ofType(Quantity)`, where nothing is left.
#            `medication.text` of a medicationCodeableConcept is nothing as well. 1 mg is not = 0.001 g, though both
#            <= and >= it. An element's lowBoundary() is 0.6, the literal's 1.05. Nothing is raised
# So         write `valueQuantity.value`, compare quantities with <= and >=, and try each rule with a case that it finds
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check fhirpathrs==0.1.5
cat >seen.py <<'PYTHON'
from math import isclose

from fhirpathrs import evaluate

UCUM = "http://unitsofmeasure.org"


def quantity(value: float, code: str) -> dict[str, object]:
    return {"value": value, "unit": code, "system": UCUM, "code": code}


systolic = {
    "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
    "valueQuantity": quantity(162, "mm[Hg]"),
}
pressure = {"resourceType": "Observation", "status": "final", "component": [systolic]}
glucose = {"resourceType": "Observation", "status": "final", "valueQuantity": quantity(1.1, "mg")}
request = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "medicationCodeableConcept": {"text": "amlodipine"},
}
WHERE = "component.where(code.coding.code = '8480-6')"
for path, resource, expected in (
    (f"{WHERE}.valueQuantity.value > 140", pressure, True),
    (f"{WHERE}.value.exists()", pressure, True),
    (f"{WHERE}.value.value", pressure, []),
    (f"{WHERE}.value.value > 140", pressure, []),
    ("value.value", glucose, 1.1),
    ("value.ofType(Quantity).exists()", glucose, True),
    ("value.ofType(Quantity).value", glucose, []),
    ("medicationCodeableConcept.text", request, "amlodipine"),
    ("medication.text", request, []),
    ("1 'mg' <= 0.001 'g'", None, True),
    ("1 'mg' >= 0.001 'g'", None, True),
    ("1 'mg' = 0.001 'g'", None, False),
    ("1 'h' = 60 'min'", None, False),
):
    found = evaluate(path, resource or {})
    print(path, "is", found)
    assert found == expected, (path, found)
for path, expected in (("1.1.lowBoundary()", 1.05), ("value.value.lowBoundary()", 0.6)):
    found = evaluate(path, glucose)
    print(path, "is", found)
    assert isclose(found, expected), (path, found)
PYTHON
venv/bin/python seen.py

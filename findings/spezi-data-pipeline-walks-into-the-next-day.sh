#!/usr/bin/env bash
# Stanford's Spezi pipeline counts the steps of an American evening for the next day.
#
# Package    spezi-data-pipeline 0.1.1 with fhir.resources 7.1.0, what phones send (HealthKit as R4 Observations) as
#            tables
# Expected   "total daily" is by the day of the one who walks, which effectiveDateTime tells with its offset: half past
#            nine in the evening at -04:00 on 13 May is 13 May. The patient is named by subject.reference (R4 §2.3.0.1);
#            Reference.id is a mark within the document, and mostly absent
# Seen       times are turned to UTC, and cut to the day. 4000 steps in the morning and 6000 in the evening of 13 May
#            are 4000 on the 13th and 6000 on the 14th, and nothing is left that tells the offset. The user is
#            subject.id: with a reference alone it is None, pandas leaves the group out, and "No data was processed".
#            With the fhir.resources 8 that pip brings, each call raises AttributeError: resource_type
# So         write the patient's day and id into the resources before it reads them, and pin fhir.resources below 8
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check spezi-data-pipeline==0.1.1 fhir.resources==7.1.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from fhir.resources.R4B.observation import Observation
from spezi_data_pipeline.data_flattening.fhir_resources_flattener import flatten_fhir_resources
from spezi_data_pipeline.data_processing.data_processor import FHIRDataProcessor

KIT = "HKQuantityTypeIdentifierStepCount"


def steps(name: str, at: str, count: int, subject: dict[str, str]) -> Observation:
    codings = [
        {"system": "http://loinc.org", "code": "55423-8", "display": "Steps"},
        {"system": "http://developer.apple.com/documentation/healthkit", "code": KIT, "display": "Steps"},
    ]
    return Observation.parse_obj(
        {
            "resourceType": "Observation",
            "id": name,
            "status": "final",
            "subject": subject,
            "code": {"coding": codings},
            "effectiveDateTime": at,
            "valueQuantity": {"value": count, "unit": "steps"},
        }
    )


def daily(**subject: str) -> list[tuple[str, str, int]] | None:
    day = [
        steps("morning", "2024-05-13T08:00:00-04:00", 4000, subject),
        steps("evening", "2024-05-13T21:30:00-04:00", 6000, subject),
    ]
    made = FHIRDataProcessor().process_fhir_data(flatten_fhir_resources(day))
    rows = made and [
        (row.UserId, str(row.EffectiveDateTime), int(row.QuantityValue))
        for row in made.df.itertuples()
    ]
    print(subject, "->", rows)
    return rows


assert daily(reference="Patient/p1", id="p1") == [
    ("p1", "2024-05-13", 4000),
    ("p1", "2024-05-14", 6000),
]
assert daily(reference="Patient/p1") is None
PYTHON

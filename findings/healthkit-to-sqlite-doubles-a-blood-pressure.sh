#!/usr/bin/env bash
# healthkit-to-sqlite counts each blood pressure of an Apple Health export twice.
#
# Package    healthkit-to-sqlite 1.0.1, the export of Apple's Health app as tables
# Expected   one reading is one row: the document type that stands at the head of each export says that a Record within
#            a Correlation (a blood pressure, a meal) also stands on its own at the top, so one of the two is read
# Seen       both are rows: two systolic, two diastolic, alike in each column. Means stay, counts and sums double: of
#            two readings a patient has four, of a meal's carbohydrates twice the grams. Records outside of
#            correlations are once there. Nothing is told
# So         leave out rows that are alike in time, value and source before you count or add
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check healthkit-to-sqlite==1.0.1
cat >seen.py <<'PYTHON'
import sqlite3
import subprocess
from pathlib import Path

WHEN = (
    'sourceName="Health" creationDate="2024-05-13 15:04:00 -0400" '
    'startDate="2024-05-13 15:04:00 -0400" endDate="2024-05-13 15:04:00 -0400"'
)


def record(name: str, unit: str, value: str) -> str:
    return f'<Record type="HKQuantityTypeIdentifier{name}" {WHEN} unit="{unit}" value="{value}"/>'


pressure = [
    record("BloodPressureSystolic", "mmHg", "162"),
    record("BloodPressureDiastolic", "mmHg", "94"),
]
meal = [record("DietaryCarbohydrates", "g", "45")]
lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<HealthData locale="en_US">',
    '<ExportDate value="2024-05-14 08:00:00 -0400"/>',
    *pressure,
    *meal,
    record("HeartRate", "count/min", "72"),
    f'<Correlation type="HKCorrelationTypeIdentifierBloodPressure" {WHEN}>',
    *pressure,
    "</Correlation>",
    f'<Correlation type="HKCorrelationTypeIdentifierFood" {WHEN}>',
    *meal,
    "</Correlation>",
    "</HealthData>",
]
Path("export.xml").write_text("\n".join(lines))
command = ["venv/bin/healthkit-to-sqlite", "export.xml", "health.db", "--xml"]
subprocess.run(command, check=True, capture_output=True)
with sqlite3.connect("health.db") as database:
    for table, value, times in (
        ("rHeartRate", "72", 1),
        ("rBloodPressureSystolic", "162", 2),
        ("rBloodPressureDiastolic", "94", 2),
        ("rDietaryCarbohydrates", "45", 2),
    ):
        rows = database.execute(f"SELECT value, unit, startDate FROM {table}").fetchall()
        print(table, rows)
        assert len(rows) == times, rows
        assert len(set(rows)) == 1, rows
        assert rows[0][0] == value, rows
PYTHON
venv/bin/python seen.py

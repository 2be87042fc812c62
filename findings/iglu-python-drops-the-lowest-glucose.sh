#!/usr/bin/env bash
# iglu-python drops what a glucose sensor calls "Low", so that an hour far too low looks better than it was.
#
# Package    iglu-python 0.4.3, measures of continuous glucose monitoring (the R package iglu in Python)
# Expected   an export of Dexcom's Clarity has the word Low in place of a number below 40 mg/dL, and High above 400. It
#            is kept, at the bound, or told of: time below 54 is what treatment goes by (the international consensus on
#            time in range, 2019). A row of the type Calibration is what the patient typed from a finger stick, and no
#            reading of the sensor (EGV)
# Seen       `load_dexcom` makes the words "not a number", and drops the rows without a word. Of twelve readings with
#            seven below 54, two of seven are left, the lowest of them 47: 29 % of the time instead of 58. The finger
#            stick is counted like a reading. Of an hour that is all Low nothing is left
# So         write 39 for Low and 401 for High, and keep only rows whose Event Type is EGV, before it reads the file
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check iglu-python==0.4.3
venv/bin/python -W ignore - <<'PYTHON'
import csv

import iglu_python
from iglu_python.extension.load_data import load_dexcom

COLUMNS = [
    "Index",
    "Timestamp (YYYY-MM-DDThh:mm:ss)",
    "Event Type",
    "Event Subtype",
    "Patient Info",
    "Device Info",
    "Source Device ID",
    "Glucose Value (mg/dL)",
]


def read(name: str, readings: list[tuple[str, str]]):
    with open(name, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rows.writerow(["1", "", "FirstName", "", "Ana", "", "", ""])
        for minute, (kind, glucose) in enumerate(readings):
            at = f"2024-05-13T03:{5 * minute:02}:00"
            rows.writerow([minute + 2, at, kind, "", "", "", "iPhone G6", glucose])
    return load_dexcom(name)


night = ["62", "53", "47", *["Low"] * 5, "58", "71", "90", "104"]
seen = read("night.csv", [("EGV", glucose) for glucose in night])
below = iglu_python.below_percent(seen, targets_below=[54])
print("readings left:", list(seen), "below 54:", below)
assert list(seen) == [62, 53, 47, 58, 71, 90, 104]
assert round(below["below_54"]) == 29
assert round(100 * 7 / 12) == 58

stick = read("stick.csv", [("EGV", "62"), ("Calibration", "38"), ("EGV", "71")])
print("with a finger stick of 38:", list(stick))
assert list(stick) == [62, 38, 71]
assert len(read("hour.csv", [("EGV", "Low")] * 12)) == 0
PYTHON

#!/usr/bin/env bash
# apple-health-parser takes a pulse that was typed in by hand for one of a person at rest.
#
# Package    apple-health-parser 2.0.5, the export of Apple's Health app as data frames
# Expected   a MetadataEntry has a key, and its value is of that key: HKMetadataKeyHeartRateMotionContext (0 unset,
#            1 sedentary, 2 active) tells of motion, HKTimeZone of a zone, and both may be missing (the document type of
#            the export: a Record has any number of entries)
# Seen       the first entry's value is taken, whatever its key: HKWasUserEntered 1 is "Sedentary", a SyncVersion of
#            2 is "Active", and with 5 the pulse is left out, with a line in the log. A night whose first
#            entry is such a version was slept in the zone "1"; with one night without an entry, as many apps write
#            them, no night is read: AttributeError
# So         read the entries by their keys yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check apple-health-parser==2.0.5
cat >seen.py <<'PYTHON'
import logging
import zipfile

from apple_health_parser.utils.parser import Parser

logging.disable()
PULSE, SLEEP = "HKQuantityTypeIdentifierHeartRate", "HKCategoryTypeIdentifierSleepAnalysis"
MOTION = "HKMetadataKeyHeartRateMotionContext"
VERSION = "HKMetadataKeySyncVersion"
DEVICE = 'device="&lt;&lt;HKDevice: 0x1&gt;, name:Watch, model:Watch, software:10.6&gt;"'
CORE = "HKCategoryValueSleepAnalysisAsleepCore"


def record(kind: str, hour: int, value: str, *entries: tuple[str, str]) -> str:
    unit = 'unit="count/min" ' if kind == PULSE else ""
    times = " ".join(
        f'{name}="2024-05-13 {hour:02}:{minute}:00 -0400"'
        for name, minute in (("creationDate", 30), ("startDate", 10), ("endDate", 30))
    )
    inside = "".join(f'<MetadataEntry key="{key}" value="{one}"/>' for key, one in entries)
    head = f'type="{kind}" sourceName="Health" sourceVersion="1" {DEVICE} {unit}{times}'
    return f'<Record {head} value="{value}">{inside}</Record>'


def frame(kind: str, *records: str):
    head = '<ExportDate value="2024-05-14 08:00:00 -0400"/><Me/>'
    body = f'<HealthData locale="en_US">{head}{"".join(records)}</HealthData>'
    with zipfile.ZipFile("export.zip", "w") as file:
        file.writestr("apple_health_export/export.xml", body)
    parser = Parser(export_file="export.zip", output_dir="out", overwrite=True)
    return parser.get_flag_records(flag=kind).records


pulses = frame(
    PULSE,
    record(PULSE, 8, "71", (MOTION, "2")),
    record(PULSE, 9, "72"),
    record(PULSE, 10, "73", ("HKWasUserEntered", "1")),
    record(PULSE, 11, "74", (VERSION, "2"), (MOTION, "1")),
    record(PULSE, 12, "75", (VERSION, "5"), (MOTION, "1")),
)
found = list(zip(pulses["value"], pulses["motion_context"].fillna("none"), strict=True))
print("pulses:", found)
expected = [(71, "Active"), (72, "none"), (73, "Sedentary"), (74, "Active")]
assert found == expected, found

zones = (("HKTimeZone", "America/New_York"),)
nights = frame(
    SLEEP, record(SLEEP, 2, CORE, *zones), record(SLEEP, 3, CORE, (VERSION, "1"), *zones)
)
print("zones:", list(nights["timezone"]))
assert list(nights["timezone"]) == ["America/New_York", "1"], nights
try:
    frame(SLEEP, record(SLEEP, 2, CORE, *zones), record(SLEEP, 3, CORE))
except AttributeError as error:
    print("a night without an entry:", error)
else:
    raise AssertionError("it was read")
PYTHON
venv/bin/python seen.py

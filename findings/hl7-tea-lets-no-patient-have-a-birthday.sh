#!/usr/bin/env bash
# hl7-tea reckons a patient's age by the day on which the program was started, and a birth in December from January.
#
# Packages   hl7-tea 2.0.1, HL7 v2 as objects; time-machine 3.6.0, which sets the clock of the test
# Expected   the age of today, if no day is given; PID-7 ends where no more is known, YYYY[MM[DD[HHMM...]]] (HL7 v2.5,
#            §2.A.22 DTM, §2.A.77 TS), and no age, or one that is marked, where the day is not known
# Seen       the day is taken when the package is imported: a server that runs for a month gives ages of a month ago, and
#            a patient whose birthday it is stays 17. "198012" (December 1980) is read as 2 January 1980, eleven months
#            older; a year alone, or a time behind the day, raises ValueError, and with a zone there is no age. Nothing is
#            logged. With the day given and eight digits the age is right
# So         give `today` with each call, in the patient's zone, and only where PID-7 has eight digits
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check hl7-tea==2.0.1 time-machine==3.6.0
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime

import time_machine

with time_machine.travel(datetime(2024, 5, 12, 12, tzinfo=UTC)):
    import hl7_tea


def patient(birth: str) -> hl7_tea.Message:
    return hl7_tea.Message(f"MSH|^~\\&|A|B|C|D|20240513||ADT^A08^ADT_A01|1|P|2.5\rPID|1||77||Wong^Mia||{birth}|F\r")


with time_machine.travel(datetime(2024, 5, 13, 12, tzinfo=UTC)):
    late, right = patient("20060513").get_patient_age(), patient("20060513").get_patient_age(datetime.today())
print("18 today:", late, "by itself,", right, "with the day given")
assert (late, right) == (17, 18)
NOVEMBER = datetime(2024, 11, 29)
for birth, expected in (
    ("19801231", 43),
    ("198012", 44),
    ("1980", "ValueError"),
    ("198012310930", "ValueError"),
    ("198012310930-0500", None),
):
    try:
        found = patient(birth).get_patient_age(NOVEMBER)
    except ValueError as error:
        found = type(error).__name__
    print(f"{birth:18} in November 2024: {found}")
    assert found == expected, found
print("OK: as described")
PYTHON

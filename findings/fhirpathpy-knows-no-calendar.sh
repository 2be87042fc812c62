#!/usr/bin/env bash
# fhirpathpy takes 30 February for a date, and cannot add hours to a time with milliseconds.
#
# Package    fhirpathpy 2.2.4
# Expected   `convertsToDate()` is false of 30 February, which is no date, and
#            `@2024-01-31T10:00:00.000Z + 36 hours` is 1 February, 22:00
# Seen       the first is true, also of a month 13; the second raises UnboundLocalError. Adding a month to 31 January is
#            right (29 February), so it looks as if there were a calendar
# So         check dates yourself before an invariant looks at them
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check fhirpathpy==2.2.4
"$folder/venv/bin/python" - <<'PYTHON'
from fhirpathpy import evaluate


def show(expression):
    try:
        out = evaluate({}, expression)
    except Exception as error:
        out = type(error).__name__
    print(f"{expression:45}", out)
    return out


assert show("'2024-02-30'.convertsToDate()") == [True]
assert show("'2024-13-30'.convertsToDate()") == [True]
assert show("@2024-01-31 + 1 month") == ["2024-02-29"]
assert show("@2024-01-31T10:00:00.000Z + 36 hours") == "UnboundLocalError"
PYTHON

#!/usr/bin/env bash
# dateparser reads "4/3/25 12:05 a. m." as the present moment.
#
# Package    dateparser 1.5.0
# Expected   `a. m.` and `p. m.`, which CLDR has for Spanish and phones write in WhatsApp's exports, are
#            read as `a.m.` and `p.m.` are: 00:05 on the fourth of March; or else nothing is read
# Seen       with its default languages the answer is now: the date is dropped, and nothing tells. Told
#            that it is Spanish, the answer is None. An afternoon, `p. m.`, is None with both
# So         join the letters before you parse, and refuse an answer near the present
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check dateparser==1.5.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from datetime import datetime, timedelta

import dateparser

spaced, joined = "4/3/25 12:05 a. m.", "4/3/25 12:05 a.m."
found = dateparser.parse(spaced)
print(repr(spaced), "->", found)
assert abs(found - datetime.now()) < timedelta(minutes=5)
for text in (joined, spaced, "13/5/25 8:05 p. m."):
    print(repr(text), "es ->", dateparser.parse(text, languages=["es"]))
assert dateparser.parse(joined, languages=["es"]) == datetime(2025, 3, 4, 0, 5)
assert dateparser.parse(spaced, languages=["es"]) is None
assert dateparser.parse("13/5/25 8:05 p. m.") is None
PYTHON

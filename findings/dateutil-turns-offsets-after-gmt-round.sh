#!/usr/bin/env bash
# dateutil reads the offset of `GMT-0500` the other way round, ten hours off.
#
# Package    python-dateutil 2.9.0.post0
# Expected   `Tue, 4 Mar 2025 08:00:00 GMT-0500`, as JavaScript and many mailers write a time five hours
#            behind, is 13:00 UTC: as it is with `-0500` alone, and by JavaScript's own `new Date(…)`
# Seen       03:00 UTC. A sign behind a zone's name is taken for POSIX's (`GMT+3` means: my time and three
#            hours are GMT), also before four digits, which POSIX does not have
# So         take `GMT` and `UTC` off before a sign, and parse what is left
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check python-dateutil==2.9.0.post0
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import timedelta

from dateutil.parser import parse

for text, hours in {
    "Tue, 4 Mar 2025 08:00:00 -0500": -5,
    "Tue, 4 Mar 2025 08:00:00 GMT-0500": 5,
    "Tue, 4 Mar 2025 08:00:00 UTC-05:00": 5,
}.items():
    found = parse(text)
    print(text, "->", found.isoformat())
    assert found.utcoffset() == timedelta(hours=hours)
PYTHON

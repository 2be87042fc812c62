#!/usr/bin/env bash
# Two readers of FIT files give the wearer's clock as another moment, or as one of no zone.
#
# Packages   fitdecode 0.11.0, fitparse 1.2.0 (PyPI), files of watches, scales and blood pressure monitors
# Expected   `timestamp` of an activity is in UTC, and `local_timestamp` beside it, the same moment by the wearer's
#            clock, has no zone: the difference of the two is the only thing in the file that tells the zone
# Seen       fitdecode gives both as UTC: a walk at 15:04 in New York was at 19:04 UTC and at 15:04 UTC. fitparse gives
#            both without a zone, so that UTC looks like local time. Sorted or stored by `local_timestamp`, the walk
#            is four hours from where it was; by fitparse's `timestamp`, it is in the evening
# So         put UTC to `timestamp`, take the offset from `local_timestamp` minus `timestamp`, and nothing else from it
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check fitdecode==0.11.0 fitparse==1.2.0
cat >seen.py <<'PYTHON'
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import pack

import fitdecode
import fitparse

UINT32, ENUM = 0x86, 0x00
FILE_ID, ACTIVITY = 0, 34
walked = datetime(2024, 5, 13, 19, 4)
moment = int((walked - datetime(1989, 12, 31)).total_seconds())


def check(content: bytes) -> bytes:
    """The CRC of FIT: 16 bits, of the polynomial A001, two octets with the low one first."""
    found = 0
    for octet in content:
        found ^= octet
        for _ in range(8):
            found = found >> 1 ^ (0xA001 if found & 1 else 0)
    return pack("<H", found)


def message(number: int, kind: int, *fields: tuple[int, int, int]) -> bytes:
    """The definition of a message, and its only one: fields by number, type and value."""
    sizes = {ENUM: (1, "B"), UINT32: (4, "I")}
    head = pack("<BBBHB", 0x40 | number, 0, 0, kind, len(fields))
    head += b"".join(pack("BBB", field, sizes[base][0], base) for field, base, _ in fields)
    form = "".join(sizes[base][1] for _, base, _ in fields)
    return head + pack("<B" + form, number, *(value for *_, value in fields))


records = message(0, FILE_ID, (0, ENUM, 4), (4, UINT32, moment)) + message(
    1, ACTIVITY, (253, UINT32, moment), (5, UINT32, moment - 4 * 3600)
)
header = pack("<BBHI4s", 14, 0x20, 2140, len(records), b".FIT")
content = header + check(header) + records
Path("walk.fit").write_bytes(content + check(content))

[by_fitparse] = fitparse.FitFile("walk.fit").get_messages("activity")
old = by_fitparse.get_values()
print("fitparse ", old["timestamp"], "and by the clock", old["local_timestamp"])
assert old["timestamp"] == walked, old
assert old["local_timestamp"] == walked - timedelta(hours=4), old

with fitdecode.FitReader("walk.fit") as reader:
    data = [frame for frame in reader if isinstance(frame, fitdecode.FitDataMessage)]
[activity] = [frame for frame in data if frame.name == "activity"]
instant, clock = (activity.get_value(name) for name in ("timestamp", "local_timestamp"))
print("fitdecode", instant, "and by the clock", clock)
assert instant == walked.replace(tzinfo=UTC), instant
assert clock == datetime(2024, 5, 13, 15, 4, tzinfo=UTC), clock
PYTHON
venv/bin/python seen.py

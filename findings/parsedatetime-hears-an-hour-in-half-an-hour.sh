#!/usr/bin/env bash
# Two readers of times hear "an hour ago" in "half an hour ago", and the day before yesterday is yesterday.
#
# Packages   parsedatetime 2.6, timefhuman 0.1.5 (PyPI), moments out of English words
# Expected   half an hour before 15:04 is 14:34, and eight this morning 8:00, counted from the moment that one gives; or
#            nothing is found, as with "half past eight" and "two and a half hours ago"
# Seen       both find what they know and pass over the rest. For both half an hour ago is an hour ago, the day before
#            yesterday is yesterday, the day after tomorrow is tomorrow, and eleven tonight is the hour that they have for
#            "tonight" (21:00 and 20:00). For parsedatetime "this morning at 8" is 6:00, one hour and a half is two, and the
#            3rd of May is the 1st; "last night" and "an hour and a half ago" count from the clock of the machine, and not
#            from the moment given. For timefhuman an hour and a half ago is an hour from now. Each says that it has found
#            a time
# So         take a time of theirs only if no word of the message is left over; keep the words beside it
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check parsedatetime==2.6 timefhuman==0.1.5
"$folder/venv/bin/python" - <<'PYTHON'
import datetime as dt

import parsedatetime
from timefhuman import tfhConfig, timefhuman

#: A Monday, when the message came.
CAME = dt.datetime(2024, 5, 13, 15, 4)
CALENDAR = parsedatetime.Calendar()


def look(words: str, first: str | None, second: str | None) -> None:
    moment, kind = CALENDAR.parseDT(words, CAME)
    other = timefhuman(words, config=tfhConfig(now=CAME))
    found = (f"{moment:%m-%d %H:%M}" if kind else None, f"{other[0]:%m-%d %H:%M}" if other else None)
    print(f"{words:<28} {found[0]!s:<12} {found[1]}")
    assert found == (first, second), found


print(f"{'words':<28} parsedatetime timefhuman, of {CAME}")
look("an hour ago", "05-13 14:04", "05-13 14:04")
look("2.5 hours ago", "05-13 12:34", "05-13 12:34")
look("two and a half hours ago", None, None)
look("half past eight", None, None)
look("half an hour ago", "05-13 14:04", "05-13 14:04")
look("a quarter of an hour ago", "05-13 14:04", "05-13 14:04")
look("day before yesterday", "05-12 09:00", "05-12 00:00")
look("the day after tomorrow at 10", "05-14 09:00", "05-14 10:00")
look("tonight at 11", "05-13 21:00", "05-13 20:00")
look("yesterday evening at 8", "05-12 18:00", "05-12 18:00")
look("at 8 in the evening", "05-13 18:00", "05-13 18:00")
for words, expected in (
    ("this morning at 8", "05-13 06:00"),
    ("1 1/2 hours ago", "05-13 13:04"),
    ("3rd of May at 8", "05-01 15:04"),
):
    moment, kind = CALENDAR.parseDT(words, CAME)
    print(f"{words:<28} {moment:%m-%d %H:%M}")
    assert (kind != 0, f"{moment:%m-%d %H:%M}") == (True, expected), moment
for words in ("last night", "an hour and a half ago"):
    moment, kind = CALENDAR.parseDT(words, CAME)
    print(f"{words:<28} in {'the year of the machine' if moment.year != CAME.year else CAME.year}")
    assert kind != 0
    assert abs(moment - dt.datetime.now()) < dt.timedelta(days=2), moment
(later,) = timefhuman("an hour and a half ago", config=tfhConfig(now=CAME))
print("an hour and a half ago, timefhuman:", later)
assert later - CAME == dt.timedelta(hours=1)
print("OK: as described")
PYTHON

#!/usr/bin/env bash
# recurrent makes "every half hour" once an hour, and "for 10 days" for ever.
#
# Package    recurrent 0.4.1, English words as recurrence rules of iCalendar
# Expected   what is understood becomes a rule (RFC 5545, §3.3.10: FREQ, INTERVAL, BYHOUR, UNTIL), and what is not gives
#            None, as "twice a day" does; no part of a sentence is left out of the rule
# Seen       "every half hour" is each hour, half as often. "daily at 9pm for 10 days" has no end, while "for 6 weeks" has
#            one. "every day at noon" and "at midnight" have no hour, while "at 12am" has one. "every 12 hours starting
#            tomorrow at 8am" starts on that day without an hour. Nothing is raised
# So         show the rule to the one who wrote the words, in words made from the rule, before anybody is reminded by it
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check recurrent==0.4.1
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime

from recurrent import RecurringEvent

NOW = datetime(2024, 5, 13, 9, 0)


def rule(words: str) -> set[str] | None:
    said = RecurringEvent(now_date=NOW).parse(words)
    return None if said is None else set(said.replace("RRULE:", "").replace("\n", ";").split(";"))


for words, expected in (
    ("twice a day", None),
    ("every 8 hours", "FREQ=HOURLY;INTERVAL=8"),
    ("every half hour", "FREQ=HOURLY;INTERVAL=1"),
    ("every tuesday for 6 weeks", "FREQ=WEEKLY;INTERVAL=1;BYDAY=TU;UNTIL=20240624"),
    ("daily at 9pm for 10 days", "FREQ=DAILY;INTERVAL=1;BYHOUR=21;BYMINUTE=0"),
    ("every day at 12am", "FREQ=DAILY;INTERVAL=1;BYHOUR=0;BYMINUTE=0"),
    ("every day at midnight", "FREQ=DAILY;INTERVAL=1"),
    ("every day at noon", "FREQ=DAILY;INTERVAL=1"),
    ("every 12 hours starting tomorrow at 8am", "DTSTART:20240514;FREQ=HOURLY;INTERVAL=12"),
):
    found = rule(words)
    print(f"{words:40}", ";".join(sorted(found)) if found else found)
    assert found == (expected and set(expected.split(";"))), (words, found)
print("OK: as described")
PYTHON

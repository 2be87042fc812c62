#!/usr/bin/env bash
# vobject forgets the second name by which a patient is called, and the first visit of a series without a rule.
#
# Package    vobject 0.9.9, vCard and iCalendar
# Expected   NICKNAME is one or more texts with commas between (RFC 2426, §3.1.3), as CATEGORIES are (§3.7.1), and what is
#            read is written again. DTSTART is the first of a series, also of one that RDATE alone makes (RFC 5545,
#            §3.8.2.4, §3.8.5.2)
# Seen       of "Mimi,Mi" there is "Mimi", and that is written back: the other name is lost from the card, without an
#            error. CATEGORIES keeps both. The `rruleset` of a visit with one RDATE has the RDATE alone; with an RRULE the
#            first is there. `dtstart` still has it
# So         keep the lines of a card that you do not change, and add dtstart to the visits of a series yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check vobject==0.9.9
"$folder/venv/bin/python" - <<'PYTHON'
import vobject

LINES = ["BEGIN:VCARD", "VERSION:3.0", "FN:Mia Wong", "N:Wong;Mia;;;", "NICKNAME:Mimi,Mi", "CATEGORIES:patient,adult"]
card = vobject.readOne("\r\n".join([*LINES, "END:VCARD", ""]))
written = card.serialize().splitlines()
print("read   ", card.nickname.value, card.categories.value)
print("written", [line for line in written if line.startswith(("NICK", "CAT"))])
assert (card.nickname.value, card.categories.value) == ("Mimi", ["patient", "adult"])
assert "NICKNAME:Mimi" in written and "CATEGORIES:patient,adult" in written, written


def visits(line: str) -> list[str]:
    event = ["BEGIN:VEVENT", "UID:1@clinic.example", "DTSTAMP:20240101T000000Z", "DTSTART:20240304T140000Z", line]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//clinic//EN", *event, "END:VEVENT", "END:VCALENDAR", ""]
    read = vobject.readOne("\r\n".join(lines)).vevent
    assert f"{read.dtstart.value:%m-%d %H:%M}" == "03-04 14:00"
    return [f"{one:%m-%d %H:%M}" for one in read.rruleset]


for line, expected in (
    ("RRULE:FREQ=WEEKLY;COUNT=2", ["03-04 14:00", "03-11 14:00"]),
    ("RDATE:20240306T150000Z", ["03-06 15:00"]),
):
    found = visits(line)
    print(line, found)
    assert found == expected, found
print("OK: as described")
PYTHON

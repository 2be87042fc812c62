#!/usr/bin/env bash
# golang-ical writes a patient's name in a way that others read as two names, and joins two categories into one.
#
# Package    github.com/arran4/golang-ical v0.3.4 (Go modules), iCalendar; read again by vobject 0.9.9 (PyPI)
# Expected   a comma in a parameter stands between quotation marks (RFC 5545, §3.2), where a backslash is a letter like
#            others (RFC 6868, §3, has ^ instead). In CATEGORIES a comma that is not escaped parts the values (RFC 5545,
#            §3.8.1.2, §3.3.11). A start with neither Z nor TZID is at the hour of whoever looks at it (§3.3.5, form 1).
#            What was read and not changed is written as it was
# Seen       ATTENDEE;CN="Wong, Mia" is written as CN=Wong\, Mia, which reads as two values: `Wong\` and ` Mia`. Of the
#            categories "follow-up" and "lab" it makes one, "follow-up,lab". GetStartAt() gives a floating nine o'clock as
#            09:00 UTC. SUMMARY is right, and nothing is an error
# So         write no calendar again that this library has read, or put the marks back around each name
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOCACHE="$folder/cache" GOFLAGS=-modcacherw
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	ics "github.com/arran4/golang-ical"
)

const visit = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:seen
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART:20260601T090000
SUMMARY:5 mg\; twice\, with food
ATTENDEE;CN="Wong, Mia":mailto:mia@example.org
CATEGORIES:follow-up,lab
END:VEVENT
END:VCALENDAR
`

func main() {
	read, err := ics.ParseCalendar(strings.NewReader(strings.ReplaceAll(visit, "\n", "\r\n")))
	if err != nil {
		panic(err)
	}
	start, err := read.Events()[0].GetStartAt()
	if err != nil || start.String() != "2026-06-01 09:00:00 +0000 UTC" {
		panic(fmt.Sprint(start, err))
	}
	if err := os.WriteFile("written.ics", []byte(read.Serialize()), 0o600); err != nil {
		panic(err)
	}
}
GO
go mod init seen 2>/dev/null
go get github.com/arran4/golang-ical@v0.3.4 2>/dev/null
go run .
grep -E '^(SUMMARY|ATTENDEE|CATEGORIES)' written.ics
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check vobject==0.9.9 python-dateutil==2.9.0.post0
venv/bin/python - <<'PYTHON'
from pathlib import Path

import vobject

text = Path("written.ics").read_text()
assert "ATTENDEE;CN=Wong\\, Mia:mailto:mia@example.org" in text, text
assert "SUMMARY:5 mg\\; twice\\, with food" in text, text
visit = vobject.readOne(text).vevent
name, categories = visit.attendee.params["CN"], visit.categories.value
print("name:", name, "categories:", categories)
assert name == ["Wong\\", " Mia"], name
assert categories == ["follow-up,lab"], categories
PYTHON

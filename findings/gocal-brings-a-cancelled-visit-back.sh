#!/usr/bin/env bash
# gocal brings cancelled visits back, moves the 31st to the 2nd, and takes a quoted zone for UTC.
#
# Package    github.com/apognu/gocal v0.9.1 (Go modules), the events of an iCalendar, its series unfolded
# Expected   EXDATE may have several times in one line (RFC 5545, §3.8.5.1), RDATE adds some (§3.8.5.2), UNTIL is the last
#            one itself (§3.3.10), a month without a 31st has none of FREQ=MONTHLY (the same), BYSETPOS=-1 of weekdays
#            is the last one of a month, and a parameter may be in quotes (§3.2). What is not understood is an error
# Seen       two times in one EXDATE take out neither: both cancelled visits are there again. RDATE adds none, the last
#            day that UNTIL names is missing, and of the 31st on each is on the 2nd of its month. BYSETPOS is passed over.
#            TZID="America/New_York" is read as UTC, five hours early. Each without an error
# So         count the visits of a series with another reader, before patients are reminded by this one
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOCACHE="$folder/cache" GOFLAGS=-modcacherw
cat >zone.txt <<'ZONE'
BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:DAYLIGHT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
ZONE
cat >main.go <<'GO'
package main

import (
	_ "embed"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"
	_ "time/tzdata"

	"github.com/apognu/gocal"
)

//go:embed zone.txt
var zone string

const (
	head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//clinic//EN\n"
	body = "BEGIN:VEVENT\nUID:1@clinic.example\nDTSTAMP:20240101T000000Z\nSUMMARY:Visit\n"
	tail = "\nEND:VEVENT\nEND:VCALENDAR\n"
	york = "DTSTART;TZID=America/New_York:20240304T090000\nDURATION:PT30M\n"
	utc  = "DTSTART:20240131T140000Z\nDURATION:PT30M\n"
)

func starts(lines string) string {
	text := strings.ReplaceAll(head+zone+body+lines+tail, "\n", "\r\n")
	parser := gocal.NewParser(strings.NewReader(text))
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(1, 0, 0)
	parser.Start, parser.End = &from, &to
	if err := parser.Parse(); err != nil {
		return err.Error()
	}
	var found []string
	for _, event := range parser.Events {
		found = append(found, event.Start.UTC().Format("01-02T15:04Z"))
	}
	sort.Strings(found)
	return strings.Join(found, " ")
}

func main() {
	for _, one := range [][2]string{
		{york + "RRULE:FREQ=WEEKLY;COUNT=3", "03-04T14:00Z 03-11T13:00Z 03-18T13:00Z"},
		{york + "RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;TZID=America/New_York:20240311T090000", "03-04T14:00Z 03-18T13:00Z"},
		{
			york + "RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;TZID=America/New_York:20240311T090000,20240318T090000",
			"03-04T14:00Z 03-11T13:00Z 03-18T13:00Z",
		},
		{york + "RDATE;TZID=America/New_York:20240306T100000", "03-04T14:00Z"},
		{"DTSTART;VALUE=DATE:20240304\nRRULE:FREQ=WEEKLY;UNTIL=20240318", "03-04T00:00Z 03-11T00:00Z"},
		{utc + "RRULE:FREQ=MONTHLY;COUNT=3", "01-31T14:00Z 03-02T14:00Z 04-02T14:00Z"},
		{
			utc + "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3",
			"01-31T14:00Z 02-01T14:00Z 02-02T14:00Z",
		},
		{strings.Replace(york, "America/New_York", `"America/New_York"`, 1), "03-04T09:00Z"},
	} {
		found := starts(one[0])
		fmt.Printf("%s\n    is %s\n", strings.ReplaceAll(one[0], "\n", " "), found)
		if found != one[1] {
			fmt.Println("expected", one[1])
			os.Exit(1)
		}
	}
	fmt.Println("OK: as described")
}
GO
go mod init seen 2>/dev/null
go get github.com/apognu/gocal@v0.9.1 2>/dev/null
go run .

#!/usr/bin/env bash
# Go's libraries for calendars give a dose of half past two an hour early, and end a day after 24 hours.
#
# Packages   github.com/teambition/rrule-go v1.8.2 and github.com/emersion/go-ical v0.0.0-20250329121855-f41e73efc392 (Go
#            modules)
# Expected   where clocks go forward, 02:30 is read with the offset before: it is 03:30 of the new time (RFC 5545, §3.3.5),
#            or left out of a series (§3.3.10). P1D is a day of the calendar, whatever its hours (§3.3.6). DTSTART is
#            the first of a series that RDATE alone makes (§3.8.5.2)
# Seen       "daily at 02:30" in New York is at 01:30 on 8 March 2026, 23 hours after the last dose, and is followed after
#            24. P1D from noon, in the night in which clocks go back, ends at 11:00; PT8H is right. RDATE alone
#            makes a set without its first visit in rrule-go, and none at all in go-ical: RecurrenceSet() is nil. No error
# So         compare the clock of each occurrence with that of the start, and add days with AddDate
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
	"time"

	"github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"
)

const zone = ";TZID=America/New_York:"

func check(found, expected string) {
	fmt.Println(found)
	if found != expected {
		fmt.Println("expected", expected)
		os.Exit(1)
	}
}

func series(lines ...string) string {
	set, err := rrule.StrToRRuleSet(strings.Join(lines, "\n"))
	if err != nil {
		panic(err)
	}
	var times []string
	for _, one := range set.All() {
		times = append(times, one.Format("Jan 2 15:04 MST"))
	}
	return strings.Join(times, ", ")
}

func event(lines ...string) ical.Event {
	head := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:seen", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z"}
	all := append(append(head, lines...), "END:VEVENT", "END:VCALENDAR", "")
	calendar, err := ical.NewDecoder(strings.NewReader(strings.Join(all, "\r\n"))).Decode()
	if err != nil {
		panic(err)
	}
	return calendar.Events()[0]
}

func end(lines ...string) string {
	one := event(lines...)
	found, err := one.DateTimeEnd(time.UTC)
	if err != nil {
		panic(err)
	}
	return found.Format("Jan 2 15:04 MST")
}

func main() {
	daily := "RRULE:FREQ=DAILY;COUNT=3"
	check(series("DTSTART"+zone+"20260307T023000", daily), "Mar 7 02:30 EST, Mar 8 01:30 EST, Mar 9 02:30 EDT")
	check(series("DTSTART"+zone+"20260307T033000", daily), "Mar 7 03:30 EST, Mar 8 03:30 EDT, Mar 9 03:30 EDT")
	check(series("DTSTART"+zone+"20260601T090000", "RDATE"+zone+"20260610T090000"), "Jun 10 09:00 EDT")
	check(end("DTSTART"+zone+"20261031T120000", "DURATION:P1D"), "Nov 1 11:00 EST")
	check(end("DTSTART"+zone+"20261031T230000", "DURATION:PT8H"), "Nov 1 06:00 EST")
	alone := event("DTSTART"+zone+"20260601T090000", "DURATION:PT1H", "RDATE"+zone+"20260610T090000")
	set, err := alone.RecurrenceSet(time.UTC)
	check(fmt.Sprint(set == nil, err), "true <nil>")
}
GO
go mod init seen 2>/dev/null
go get github.com/teambition/rrule-go@v1.8.2 github.com/emersion/go-ical@v0.0.0-20250329121855-f41e73efc392 2>/dev/null
go run .

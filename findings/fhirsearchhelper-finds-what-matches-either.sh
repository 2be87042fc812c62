#!/usr/bin/env bash
# fhirsearchhelper answers a search by two parameters with what matches one of them, and twice with what matches both.
#
# Package    fhirsearchhelper 0.4.1 (with fhir.resources 8.1.0), which filters a bundle for a server that does not know
#            all search parameters
# Expected   several parameters are joined by AND, so that what is found matches each of them (R4, Search: the
#            intersection); `system|code` is that code of that system, and of none other (R4, Search, token). No entry
#            comes twice, and `total` counts the matches
# Seen       each parameter is looked for on its own, and the results stand one behind the other: code and status=final
#            find a sodium, a potassium that was entered in error, and the right one twice; total 6 of 4. With the code
#            of one system that of another is found as well: where system and code do not match together, the code alone
#            is tried. That is with `%7C`; with a plain `|`, as one writes it in a dict, nothing is found
# So         filter once for each parameter, each time what was left, and look at the system again
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check \
  fhirsearchhelper==0.4.1 fhir.resources==8.1.0 fhir-core==1.1.12
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from fhir.resources.R4B.bundle import Bundle
from fhirsearchhelper.helpers.fhirfilter import filter_bundle
from fhirsearchhelper.models.models import QuerySearchParams

LOINC = "http://loinc.org"
LOCAL = "https://example.com/codes"


def observation(name: str, system: str, code: str, status: str = "final") -> dict[str, object]:
    coding = {"coding": [{"system": system, "code": code}]}
    return {"resourceType": "Observation", "id": name, "status": status, "code": coding}


resources = [
    observation("potassium", LOINC, "2823-3"),
    observation("withdrawn", LOINC, "2823-3", "entered-in-error"),
    observation("local", LOCAL, "2823-3"),
    observation("sodium", LOINC, "2951-2"),
]
entries = [{"resource": resource} for resource in resources]
bundle = Bundle.model_validate(
    {"resourceType": "Bundle", "type": "searchset", "total": 4, "entry": entries}
)


def found(**parameters: str) -> list[str]:
    asked = QuerySearchParams(resourceType="Observation", searchParams=parameters)
    answer = filter_bundle(bundle, asked, list(parameters))
    names = [entry.resource.id for entry in answer.entry]
    print(parameters, "->", names, "total", answer.total)
    assert answer.total == len(names)
    return names


assert found(status="final") == ["potassium", "local", "sodium"]
assert found(code=f"{LOINC}%7C2823-3") == ["potassium", "withdrawn", "local"]
assert found(code=f"{LOINC}|2823-3") == []
both = found(code=f"{LOINC}%7C2823-3", status="final")
assert both == ["potassium", "withdrawn", "local", "potassium", "local", "sodium"]
PYTHON

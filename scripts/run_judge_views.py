"""What ``make judge-views`` runs: the shared tests of SQL on FHIR, from a folder that one has.

They are the ``tests`` of https://github.com/FHIR/sql-on-fhir-v2. Those of R4 count.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from threadwell.fhir.json import decode, encode
from threadwell.fhir.views.definition import BadView, SeveralValues, compiled
from threadwell.fhir.views.paths import TooMuch

#: Tests that do not pass, with the reason.
LEFT: Mapping[str, str] = {
    "repeat.json: empty expression": "it asks R4's QuestionnaireResponse for an element that it "
    "does not have: that is told as a mistake",
}


def main(arguments: list[str]) -> int:
    """Run all of them; 1 if any that is not known to fail fails."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("which folder has the tests? make judge-views TESTS=FOLDER", file=sys.stderr)
        return 2
    passed, failed = 0, []
    for path in sorted(Path(arguments[0]).glob("*.json")):
        cases = decode(path.read_bytes())
        for case in cases["tests"]:
            name = f"{path.name}: {case['title']}"
            if _passes(case, cases["resources"]):
                passed += 1
            elif name in LEFT:
                print(f"left: {name} ({LEFT[name]})")
            else:
                failed.append(name)
    for name in failed:
        print(f"FAILED: {name}")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


def _passes(case: dict[str, Any], resources: list[dict[str, Any]]) -> bool:
    try:
        view = compiled(case["view"])
        rows = [
            row
            for resource in resources
            if resource["resourceType"] == view.resource
            for row in view.rows(resource)
        ]
    except (BadView, SeveralValues, TooMuch):
        return bool(case.get("expectError"))
    if case.get("expectError"):
        return False
    columns = [column.name for column in view.columns]
    wanted = case.get("expectColumns", columns)
    return columns == wanted and _bag(rows) == _bag(case.get("expect", []))


def _bag(rows: list[dict[str, Any]]) -> list[bytes]:
    return sorted(encode(dict(sorted(row.items()))) for row in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

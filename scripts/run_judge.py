"""What ``make judge`` runs: HL7's validator over all that Threadwell writes.

The sample practice is imported under each session policy, lives on as ``judge_practice`` tells, and
is cut anew under another policy. Each version of each resource that comes of it, and each resource
of the guide, is judged by R4 with the guide's package; with ``--us-core FILE …`` (packages of US
Core), each Encounter by US Core Encounter too. Any error or warning fails.

Needs Java 17, Maven and npm: they fetch the validator and HL7's packages once, into ``.cache/``.
Nothing else is fetched, and no terminology server is asked.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import make_guide
import validator
from judge_practice import POLICIES, written_as_clocks_change, written_under
from validator import Resource

US_CORE_ENCOUNTER = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter"
SNOMED = "http://snomed.info/sct"
#: Said of a code of SNOMED CT, which no package may hold: whether it is in a set cannot be told.
UNTOLD = ("ValueSet 'http://cts.nlm.nih.gov/", "None of the codings provided are in the value set")

#: What a server adds to each version.
_STAMPS = ("versionId", "lastUpdated")


def main(us_core: list[Path]) -> int:
    """0 where nothing is said against anything, else 1."""
    validator.tools()
    guide = validator.installed(make_guide.package())
    terminology = validator.installed(validator.terminology().read_bytes())
    written = [*make_guide.resources(), *_written()]
    print(f"R4: {len(written)} resources", flush=True)
    said = _report(validator.judged(written, [terminology, guide]), written)
    for package in us_core:
        name = validator.installed(package.read_bytes())
        encounters, waiting = _encounters(written)
        print(f"{name}: {len(encounters)} encounters; {waiting} await a review", flush=True)
        judged = validator.judged(encounters, [terminology, guide, name])
        said += _report((m for m in judged if not _untold(m, encounters)), encounters)
    return 1 if said else 0


def _written() -> Iterator[Resource]:
    """Each version that is written, once: most are the same under every policy."""
    seen: set[str] = set()
    for resource in chain(*map(written_under, POLICIES), written_as_clocks_change()):
        marks = {name: v for name, v in resource["meta"].items() if name not in _STAMPS}
        body = json.dumps({**resource, "meta": marks}, default=str, sort_keys=True)
        if body not in seen:
            seen.add(body)
            yield resource


def _encounters(written: list[Resource]) -> tuple[list[Resource], int]:
    """The Encounters, claiming US Core's profile; those that await a review are only counted."""
    asked = {
        r["focus"]["reference"] for r in written if r["resourceType"] == "Task" and "focus" in r
    }
    found = [r for r in written if r["resourceType"] == "Encounter"]
    waiting = [r for r in found if "subject" not in r and f"Encounter/{r['id']}" in asked]
    claimed = [
        {**r, "meta": {**r["meta"], "profile": [US_CORE_ENCOUNTER]}}
        for r in found
        if r not in waiting
    ]
    return claimed, len(waiting)


def _untold(message: Resource, judged: list[Resource]) -> bool:
    codings = (c for t in judged[message["index"]]["type"] for c in t["coding"])
    return message["text"].startswith(UNTOLD) and any(c["system"] == SNOMED for c in codings)


def _report(messages: Iterator[Resource], judged: list[Resource]) -> int:
    """Print each kind of error and warning with one resource that it is about; how many kinds."""
    counted: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for message in messages:
        if message["severity"] != "information":
            kind = message["severity"], message["text"]
            counted[kind] += 1
            about = judged[message["index"]]
            first.setdefault(kind, f"{about['resourceType']}/{about['id']} {message['location']}")
    for kind, count in counted.most_common():
        print(f"  {count} × {kind[0]}: {kind[1]} ({first[kind]})")
    print("  clean" if not counted else f"  {len(counted)} kinds of faults", flush=True)
    return len(counted)


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--us-core", type=Path, nargs="+", default=[], metavar="FILE")
    sys.exit(main(parser.parse_args().us_core))

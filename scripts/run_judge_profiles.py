"""What ``make judge-profiles`` runs: our verdicts on resources beside those of HL7's validator.

Judged are the examples of the packages that are named (US Core's, for instance) by the profiles
that they claim, and HL7's examples of R4; each as it is, and with some changes. A package is added
to a store as a user adds it. Printed are how often both say the same, and each kind of difference.
It fails where that is less than 95 of 100.

Needs what ``make judge`` needs. Nothing is committed of what it fetches.
"""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import validator
from judged_instances import Instance, changed, examples
from threadwell.fhir.canonicals import relative_canonicals
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import Issue
from threadwell.fhir.profiles.check import check, claims, extension_urls, systems
from threadwell.fhir.validation import validate
from threadwell.intake.guides.keeping import add_guide
from threadwell.stores.conformance import Conformance
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.guides import Guides
from threadwell.stores.memory import MemoryStore
from validator import Resource

#: Of 100, those that have to have the same verdict.
ENOUGH = 95
R4_EXAMPLES = "hl7.fhir.r4.examples@4.0.1"
R4_SHA256 = "dce87f1b5b9341867033f7d1f544fa1b5232503f6d62813887ac6b8a8b6cb682"
#: Errors by which the validator says that it cannot tell, for want of what another package has.
UNTOLD = (
    "could not be found, so the code cannot be validated",
    'because "this.valueset" is null',
    "expecting one of []",
)
UNTOLD_IDS = ("Type_Specific_Checks_DT_URL_Resolve",)
#: What we only warn of by choice (docs/specifications.md): canonicals such as ``Questionnaire/1``.
CHOSEN = ("TYPE_SPECIFIC_CHECKS_CANONICAL_ABSOLUTE",)
#: Larger ones, and the definitions of R4 itself, would be most of the work.
_LARGE = 60_000
_DEFINITIONS = {
    "Bundle", "CapabilityStatement", "CodeSystem", "CompartmentDefinition", "ConceptMap",
    "GraphDefinition", "ImplementationGuide", "NamingSystem", "OperationDefinition",
    "SearchParameter", "StructureDefinition", "StructureMap", "ValueSet",
}  # fmt: skip


class Verdicts(NamedTuple):
    """What is wrong with an instance by us, and by the validator."""

    instance: Instance
    ours: list[Issue]
    theirs: list[Resource]


def main(packages: list[Path], every: int, changes: int, seed: int) -> int:
    """0 where both mostly say the same of each set, else 1."""
    validator.tools()
    terminology = validator.terminology()
    alike = [
        _compared(package.stem, _made(examples(package), changes, seed), [terminology, package])
        for package in packages
    ]
    if every:
        found = examples(validator.fetched(R4_EXAMPLES, R4_SHA256))
        chosen = islice(filter(_is_usual, found), 0, None, every)
        alike.append(_compared("R4", _made(chosen, 1, seed), [terminology]))
    return 0 if all(alike) else 1


def _is_usual(instance: Instance) -> bool:
    type_ = instance.resource["resourceType"]
    return type_ not in _DEFINITIONS and len(json.dumps(instance.resource)) < _LARGE


def _made(found: Iterable[Instance], changes: int, seed: int) -> list[Instance]:
    return [one for each in found for one in (each, *changed(each, changes, seed))]


def _compared(name: str, instances: list[Instance], packages: list[Path]) -> bool:
    print(f"{name}: {len(instances)} resources", flush=True)
    installed = [validator.installed(package.read_bytes()) for package in packages]
    said: dict[int, list[Resource]] = {}
    judged = validator.judged([one.resource for one in instances], installed, examples=True)
    for message in judged:
        if message["severity"] in ("error", "fatal") and not _is_untold(message):
            said.setdefault(message["index"], []).append(message)
    ours = asyncio.run(_ours([one.resource for one in instances], packages))
    verdicts = [
        Verdicts(instance, mine, said.get(at, []))
        for at, (instance, mine) in enumerate(zip(instances, ours, strict=True))
    ]
    differing = [one for one in verdicts if bool(one.ours) != bool(one.theirs)]
    same = len(verdicts) - len(differing)
    refused = sum(bool(one.theirs) for one in verdicts)
    print(
        f"  {same} of {len(verdicts)} the same: {100 * same / len(verdicts):.1f} of 100;", end=" "
    )
    print(f"the validator refuses {refused}")
    chosen = sum(not one.ours and _is_chosen(one.theirs) for one in differing)
    if chosen:
        print(f"  {chosen} more differ by nothing but a choice of ours")
    kinds = Counter(_kind(one) for one in differing)
    first = {_kind(one): one.instance for one in reversed(differing)}
    for kind, count in kinds.most_common():
        print(f"    {count} × {kind} ({first[kind].name} {first[kind].change})", flush=True)
    return 100 * same >= ENOUGH * len(verdicts)


def _is_untold(message: Resource) -> bool:
    return message["id"] in UNTOLD_IDS or any(text in message["text"] for text in UNTOLD)


def _is_chosen(messages: list[Resource]) -> bool:
    return all(message["id"] in CHOSEN for message in messages)


def _kind(one: Verdicts) -> str:
    if one.ours:
        return f"only ours: {one.ours[0].text[:120]}"
    message = one.theirs[0]
    return f"only the validator's: {message['id'] or message['text'][:120]}"


async def _ours(resources: list[Resource], packages: list[Path]) -> list[list[Issue]]:
    """What is wrong with each by R4, else by its profiles, as ``$validate`` has it."""
    store = MemoryStore()
    for package in packages:
        await add_guide(store, DEFAULT_PROJECT, package.read_bytes())
    conformance = Conformance(Guides(store, DEFAULT_PROJECT))
    found = []
    for resource in map(_as_sent, resources):
        issues = validate(resource)
        if not issues:
            wanted = [*claims(resource), *extension_urls(resource)]
            compiler = await conformance.compiler(0, wanted, systems(resource))
            issues = [*relative_canonicals(resource), *check(resource, (), compiler)]
            issues = [one for one in issues if one.severity == "error"]
        found.append(issues)
    await store.close()
    return found


def _as_sent(resource: Resource) -> Resource:
    sent: Resource = decode(json.dumps(resource))
    return sent


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("packages", type=Path, nargs="*", metavar="FILE")
    parser.add_argument("--every", type=int, default=4, help="of R4's examples each so manieth")
    parser.add_argument("--changes", type=int, default=2, help="to each example of a package")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sys.exit(main(asked.packages, asked.every, asked.changes, asked.seed))

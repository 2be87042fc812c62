"""Elements that a caller does not see, or does not change: taken out, put back, compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from threadwell.fhir.json import decode, encode
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Stored

#: The mark of a resource that is not whole (FHIR R4 §3.1.1.5.8), as ``_elements`` has it.
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


def without(stored: Stored, hidden: Iterable[str]) -> Stored:
    """The version without what is hidden. It is marked as a part whether there was any or not:
    that is hidden, too.
    """
    paths = list(hidden)
    if not paths or not stored.body:
        return stored
    resource: Resource = decode(stored.body)
    for path in paths:
        _take_out(resource, path.split("."))
    # ``meta`` comes first in a body, and begins with what answers splice into.
    meta = resource["meta"]
    if SUBSETTED not in meta.get("tag", ()):
        meta["tag"] = [*meta.get("tag", ()), SUBSETTED]
    return stored._replace(body=encode(resource))


def put_back(resource: Resource, before: Resource, paths: Iterable[str]) -> None:
    """Give a resource each of the elements as ``before`` has it.

    What is below a list cannot be told apart from what the caller has changed beside it: of such a
    path the whole element stays as it was.
    """
    for root in {path.partition(".")[0] for path in paths}:
        for name in (root, f"_{root}"):
            if name in before:
                resource[name] = before[name]
            else:
                resource.pop(name, None)
    _unmark(resource, before)


def differing(resource: Resource, before: Resource, paths: Iterable[str]) -> str:
    """An element of those that is not as it was; ``""`` where all are."""
    for root in sorted({path.partition(".")[0] for path in paths}):
        for name in (root, f"_{root}"):
            if resource.get(name) != before.get(name):
                return root
    return ""


def _unmark(resource: Resource, before: Resource) -> None:
    """Take away the mark that we have put on what the caller was shown."""
    tags = (resource.get("meta") or {}).get("tag")
    if isinstance(tags, list) and SUBSETTED in tags:
        had = (before.get("meta") or {}).get("tag") or ()
        if SUBSETTED not in had:
            left = [tag for tag in tags if tag != SUBSETTED]
            if left:
                resource["meta"]["tag"] = left
            else:
                del resource["meta"]["tag"]


def _take_out(value: Any, path: list[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _take_out(item, path)
    elif isinstance(value, dict):
        name = path[0]
        if len(path) > 1:
            _take_out(value.get(name), path[1:])
        else:
            value.pop(name, None)
            value.pop(f"_{name}", None)

"""Elements that a caller does not see, or does not change: taken out, put back, compared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import Issue
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Stored

#: The element of a resource that an expression leads into.
_ROOT = re.compile(r"[A-Z][A-Za-z]*\._?([a-z][A-Za-z]*)")


def without(stored: Stored, hidden: Iterable[str]) -> Stored:
    """The version without what is hidden.

    It has no mark of that: whoever has read it may put it back, and what is hidden stays as it is.
    """
    paths = list(hidden)
    if not paths or not stored.body:
        return stored
    resource: Resource = decode(stored.body)
    for path in paths:
        _take_out(resource, path.split("."))
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


def told(issues: Iterable[Issue], hidden: Iterable[str]) -> list[Issue]:
    """What of the issues of a resource may be told to whom elements of it are hidden from.

    What is wrong within those was there before: nobody learns of it by writing something else.
    """
    roots = {path.partition(".")[0] for path in hidden}
    if not roots:
        return list(issues)
    return [one for one in issues if not _lies_in(one.expression, roots)]


def _lies_in(expression: str, roots: set[str]) -> bool:
    found = _ROOT.match(expression)
    if found is None:
        return False
    name = found[1]
    # A path names ``value[x]`` without its type, or with it.
    return name in roots or any(
        one.startswith(name) and one[len(name) : len(name) + 1].isupper() for one in roots
    )


def differing(resource: Resource, before: Resource, paths: Iterable[str]) -> str:
    """An element of those that is not as it was; ``""`` where all are."""
    for root in sorted({path.partition(".")[0] for path in paths}):
        for name in (root, f"_{root}"):
            if resource.get(name) != before.get(name):
                return root
    return ""


def _take_out(value: Any, path: list[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _take_out(item, path)
    elif isinstance(value, dict):
        name = path[0]
        if len(path) > 1:
            inner = value.get(name)
            _take_out(inner, path[1:])
            if isinstance(inner, list):
                inner = value[name] = [item for item in inner if item != {}]
            if inner in ({}, []):
                # FHIR has nothing that is empty, so it could not be put back.
                del value[name]
        else:
            value.pop(name, None)
            value.pop(f"_{name}", None)

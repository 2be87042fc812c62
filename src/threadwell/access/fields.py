"""Elements that a caller does not see, or does not change: taken out, put back, compared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.structures import elements
from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import Issue
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Stored

#: The type of a resource, and the element of it that an expression leads into.
_ROOT = re.compile(r"([A-Z][A-Za-z]*)\._?([a-z][A-Za-z]*)")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def without(stored: Stored, hidden: Iterable[str]) -> Stored:
    """The version without what is hidden.

    It has no mark of that: whoever has read it may put it back, and what is hidden stays as it is.
    """
    paths = list(hidden)
    if not paths or not stored.body:
        return stored
    # What nothing is hidden of stays the bytes that it is.
    members = _members(stored.body)
    for path in paths:
        root, _, inner = path.partition(".")
        if not inner:
            members.pop(root, None)
            members.pop(f"_{root}", None)
        elif root in members:
            part: Resource = {root: decode(bytes(members[root]))}
            _take_out(part, path.split("."))
            if part:
                members[root] = msgspec.Raw(encode(part[root]))
            else:
                del members[root]
    return stored._replace(body=encode(members))


@lru_cache(maxsize=1000)
def alternatives(type_: str, hidden: frozenset[str]) -> frozenset[str]:
    """The names under which the same elements may stand with values of other types.

    A value of another type beside one that is hidden would make two, and tell of the first.
    """
    roots = frozenset(path.partition(".")[0] for path in hidden)
    return frozenset(
        name
        for one in elements(type_)
        if not roots.isdisjoint(names := one.json_names())
        for name in names
    )


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
    roots = frozenset(path.partition(".")[0] for path in hidden)
    if not roots:
        return list(issues)
    return [one for one in issues if not _lies_in(one.expression, roots)]


def _lies_in(expression: str, roots: frozenset[str]) -> bool:
    found = _ROOT.match(expression)
    return found is not None and found[2] in _named(found[1], roots)


@lru_cache(maxsize=1000)
def _named(type_: str, roots: frozenset[str]) -> frozenset[str]:
    """What the paths of issues call these elements: ``value`` is ``valueString``, too."""
    if type_ not in RESOURCE_TYPES:
        return roots
    return roots | {one.name for one in elements(type_) if not roots.isdisjoint(one.json_names())}


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

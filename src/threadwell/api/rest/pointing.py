"""Whether what a client writes refers to what is there, where that is checked.

What the caller may not see is not there: a reference to it is refused in the same words.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from threadwell.api.context import Context
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.references import references, typed_references
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.references import parse_absolute, split_reference
from threadwell.stores.contract import Key, Stored, Write

#: References of one resource that are looked up at once.
_PART = 500


async def refuse_dangling(
    context: Context,
    write: Write,
    made: Container[Key] = frozenset(),
    gone: Container[Key] = frozenset(),
) -> None:
    """Raise 422 for a reference that is new with a write and leads to nothing, or to a resource of
    a type that may not stand there; as far as the store's settings say so.

    ``made`` is what the same transaction writes, ``gone`` what it deletes.
    """
    resource = write.resource
    if resource is None:
        return
    state = await context.conformance.guides.state(context.clock())
    if state.references == "off":
        return
    had = await _had(context, write.before)
    problems = [
        Issue("value", "The reference says a type that may not stand here", f"{path}.type")
        for path, type_ in _wrong_types(resource)
        if type_ not in had
    ]
    if state.references == "exists":
        problems += await _dangling(context, write, resource, had, made, gone)
    if problems:
        raise FhirError(422, problems)


async def _dangling(
    context: Context,
    write: Write,
    resource: Resource,
    had: set[str],
    made: Container[Key],
    gone: Container[Key],
) -> list[Issue]:
    asked: dict[Key, str] = {}
    missing: dict[Key, str] = {}
    for path, reference in references(resource):
        text = reference["reference"]
        key = None if text in had else _own(context, text)
        if key is None or key in made or key == Key(write.type, write.id):
            continue
        if context.view.knows(f"{key.type}/{key.id}"):
            continue
        (missing if key in gone else asked).setdefault(key, path)
    keys = list(asked)
    for at in range(0, len(keys), _PART):
        found = await context.view.read_many(context.project, keys[at : at + _PART])
        for key in keys[at : at + _PART]:
            stored = found.get(key)
            if stored is None or stored.deleted:
                missing[key] = asked[key]
    return [
        Issue("not-found", f"There is no such {key.type} that it may refer to", path)
        for key, path in missing.items()
    ]


async def _had(context: Context, before: Stored | None) -> set[str]:
    """What a version says already, with what is hidden from the caller: that was put back into what
    follows it, and nothing is to be told of it.
    """
    if before is None or before.deleted:
        return set()
    was: Resource = decode(before.body)
    await context.view.keep(was, before)
    return _texts(was)


def _own(context: Context, text: str) -> Key | None:
    """The resource of this server that a literal reference leads to."""
    absolute = parse_absolute(text)
    if absolute is not None:
        return Key(absolute.type, absolute.id) if absolute.base in context.bases else None
    type_, id_ = split_reference(text)
    return Key(type_, id_) if type_ else None


def _texts(resource: Resource) -> set[str]:
    """What the references of a version say already: that is not refused for the first time now."""
    found = {reference["reference"] for _, reference in references(resource)}
    return found | {type_ for _, type_ in _wrong_types(resource)}


def _wrong_types(resource: Resource) -> Iterator[tuple[str, str]]:
    """Each ``Reference.type`` of another type than R4 lets stand there.

    What a literal reference says by its text is part of R4's own validation.
    """
    for path, reference, targets in typed_references(resource):
        type_ = reference.get("type")
        if isinstance(type_, str) and targets and type_ not in targets:
            yield path, type_

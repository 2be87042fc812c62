"""What of a resource Threadwell finds it by, and its place: the anchors of the record. Pure.

A client that writes a whole resource knows nothing of most of them: what it leaves out stays. What
it takes away by name, or says otherwise, would take a message out of its thread, or a Task out of
its circle, without a word: that is refused. One table tells which elements these are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.merge import is_locked
from threadwell.encounters.people import addresses_of
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.references import parse_absolute, split_reference

#: How our identifiers begin.
OURS = f"{codes.BASE}identifier/"
#: How the third group of a UUID version 5 begins: an id that Threadwell has derived.
_DERIVED = "5"


class Adrift(ValueError):
    """A write would take a resource out of its place. ``element`` is what it must keep."""

    def __init__(self, element: str, why: str) -> None:
        super().__init__(why)
        self.element = element


#: What an element has to be: given what is stored and what is written, that which has to be stored.
#: ``None`` stands for an element that is not there; raises ``ValueError`` for another value.
Holds = Callable[[Any, Any], Any]


class Anchor(NamedTuple):
    """Of resources of that ``type`` which Threadwell has named so, ``element`` holds.

    ``of`` are the systems of identifiers by which they are known, or what those begin with; a type
    without identifiers is known by its derived id. ``why`` tells a person what rests on it. One
    that is ``removable`` says something where a client takes it away by name.
    """

    type: str
    of: tuple[str, ...]
    element: str
    holds: Holds
    why: str
    removable: bool = False


def anchored(before: Resource, after: Resource, *, named: bool = False) -> Resource:
    """What is to be stored in the place of ``before``, where a client writes ``after``.

    Anchors that it leaves out are put back. Raises ``Adrift`` where it contradicts one, and where
    it has ``named`` what it takes away, as a patch does.
    """
    out = after
    for anchor in _of(before):
        there = before.get(anchor.element)
        given = after.get(anchor.element)
        try:
            kept = anchor.holds(there, given)
        except ValueError:
            raise Adrift(anchor.element, anchor.why) from None
        if kept == given:
            continue
        if named and anchor.removable:
            continue
        if named and not _is_order(kept, given):
            raise Adrift(anchor.element, anchor.why)
        out = {**out, anchor.element: kept}
        sibling = f"_{anchor.element}"
        if given is None and sibling in before:
            out.setdefault(sibling, before[sibling])
    return out


def otherwise(before: Resource, after: Resource) -> str:
    """Which element says otherwise of whom a session is, or of its threads; ``""`` for none."""
    elements = _WHOSE_IT_IS.get(str(before.get("resourceType", "")), ())
    return next((one for one in elements if _whose(before.get(one)) != _whose(after.get(one))), "")


def _whose(value: Any) -> Any:
    """Whom an element names: members by who they are."""
    members = value if isinstance(value, list) else ()
    return [_plain(one.get("entity")) for one in members] if members else _plain(value)


def _of(resource: Resource) -> Iterator[Anchor]:
    type_ = str(resource.get("resourceType", ""))
    rows = _BY_TYPE.get(type_, ())
    if not rows:
        return
    if type_ == "Encounter" and is_locked(resource):
        rows = (*rows, *BILLED)
    systems = [
        str(one.get("system", ""))
        for one in resource.get("identifier") or ()
        if one.get("use") != "secondary"
    ]
    derived = str(resource.get("id", ""))[14:15] == _DERIVED
    for row in rows:
        if any(one.startswith(row.of) for one in systems) if row.of else derived:
            yield row


def _is_order(kept: Any, given: Any) -> bool:
    """Whether one list has what the other has, in another order."""
    return (
        isinstance(kept, list)
        and isinstance(given, list)
        and len(kept) == len(given)
        and all(one in kept for one in given)
    )


def _ours_first(there: Any, given: Any) -> Any:
    """Our identifiers, as they are stored and in that order: the first ones say which it is."""
    stored = [one for one in there or () if _is_ours(one)]
    if [one for one in given or () if _is_ours(one)] == stored:
        return given
    names = {_name(one) for one in stored}
    return [*stored, *(one for one in given or () if _name(one) not in names)]


def _some(there: Any, given: Any) -> Any:
    """Any value, where there was one."""
    return there if given is None else given


def _none(_: Any, given: Any) -> Any:
    """No value."""
    if given is not None:
        raise ValueError("it has none")
    return given


def _same(there: Any, given: Any) -> Any:
    """The same value; references may be written as their writers like."""
    if given is None or _plain(given) == _plain(there):
        return there
    raise ValueError("it is another one")


def _all(there: Any, given: Any) -> Any:
    """All that was there, and perhaps more."""
    missing = [one for one in there or () if one not in (given or ())]
    return [*missing, *(given or ())] if missing else given


def _codings(there: Any, given: Any) -> Any:
    """The concepts of a list whose codings tell what it is to us."""
    if given is None:
        return there
    known = [one for concept in given or () for one in concept.get("coding") or ()]
    missing = [
        concept
        for concept in there or ()
        for one in concept.get("coding") or ()
        if one.get("system") == codes.ENCOUNTER_TYPE and one not in known
    ]
    return [*missing, *(given or ())] if missing else given


def _code(there: Any, given: Any) -> Any:
    """The codings of a concept that tell what it is to us."""
    if given is None:
        return there
    known = (given or {}).get("coding") or ()
    ours = (codes.TASK_CODE, codes.READ_RECEIPT["system"])
    missing = [
        one
        for one in (there or {}).get("coding") or ()
        if one.get("system") in ours and one not in known
    ]
    return {**(given or {}), "coding": [*missing, *known]} if missing else given


def _sender(there: Any, given: Any) -> Any:
    """Somebody with the address that the message came from; a client may not know of that."""
    if given is None or addresses_of(given) == addresses_of(there or {}):
        return there if given is None else given
    if not addresses_of(given) and _plain(given) == _plain(there):
        return there
    raise ValueError("it has another address")


def _recipients(there: Any, given: Any) -> Any:
    """Those whom it went to, each with the address."""
    wanted = [address for one in there or () for address in addresses_of(one)]
    if wanted == [address for one in given or () for address in addresses_of(one)]:
        return given
    if not given or [_plain(one) for one in given] == [_plain(one) for one in there or ()]:
        return there
    raise ValueError("they have other addresses")


def _attributions(there: Any, given: Any) -> Any:
    """Why a message is about whom it is about, as extensions."""
    return _all([one for one in there or () if one.get("url") == codes.EXT_ATTRIBUTION], given)


def _source(there: Any, given: Any) -> Any:
    """Where it came from; all else in ``meta`` is the server's, or anybody's."""
    source = (there or {}).get("source")
    if source is None or (given or {}).get("source") == source:
        return given
    return {**(given or {}), "source": source}


def _plain(value: Any) -> Any:
    """A value by what counts in it: of a Reference ``Type/id``, also where it is a link to us."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping) and "reference" in value:
        text = str(value["reference"])
        absolute = parse_absolute(text)
        type_, id_ = (absolute.type, absolute.id) if absolute else split_reference(text)
        return f"{type_}/{id_}" if id_ else text
    if isinstance(value, Mapping):
        return {name: one for name, one in value.items() if name != "extension"}
    return value


def _is_ours(identifier: Mapping[str, Any]) -> bool:
    return str(identifier.get("system", "")).startswith(OURS)


def _name(identifier: Mapping[str, Any]) -> tuple[Any, Any]:
    return identifier.get("system"), identifier.get("value")


_ANY = (OURS,)
_MESSAGE = (codes.MESSAGE, codes.APART)
_HEADER = (codes.HEADER,)
_SESSION = (codes.SESSION,)
_MEDICAL = (codes.MEDICAL,)
_WHICH = "Threadwell knows it by these identifiers: they stay"
_IN_THREAD = "A message stays in its thread. $retract takes it back, $about says whom it is about"
_WROTE = "Threadwell knows by the address who wrote it: it stays"
_A_SESSION = "It tells that this is a session, or one patient's part of one: it stays"
_WHOSE = "It has been billed: whom it is about stays as it was billed"
_A_TASK = "It tells Threadwell what this Task is about: it stays"

#: All of them.
ANCHORS = (
    Anchor("Communication", _ANY, "identifier", _ours_first, _WHICH),
    Anchor("Communication", _MESSAGE, "partOf", _same, _IN_THREAD),
    Anchor("Communication", _MESSAGE, "meta", _source, "It tells which account has brought it"),
    Anchor("Communication", _MESSAGE, "sent", _some, "A message has its place by its time"),
    Anchor(
        *("Communication", _MESSAGE, "subject", _some),
        "It tells whom the message is about: $about says otherwise",
        removable=True,
    ),
    Anchor(
        *("Communication", _MESSAGE, "inResponseTo", _some),
        "It tells which message it answers",
        removable=True,
    ),
    Anchor("Communication", _MESSAGE, "sender", _sender, _WROTE),
    Anchor("Communication", _MESSAGE, "recipient", _recipients, _WROTE),
    Anchor(
        *("Communication", _MESSAGE, "extension", _attributions),
        "It tells why the message is about whom it is about: $about says otherwise",
    ),
    Anchor("Communication", _HEADER, "partOf", _none, "It is a thread, and part of no other one"),
    Anchor(
        *("Communication", _HEADER, "encounter", _some),
        "The thread is of that session: $split-by-patient and $about change whom it is about",
    ),
    Anchor("Encounter", _ANY, "identifier", _ours_first, _WHICH),
    Anchor("Encounter", _SESSION, "partOf", _none, "It is a session, and part of no other one"),
    Anchor("Encounter", _SESSION, "class", _same, _A_SESSION),
    Anchor("Encounter", _SESSION, "type", _codings, _A_SESSION),
    Anchor("Encounter", _MEDICAL, "partOf", _same, "It is one patient's part of that session"),
    Anchor("Encounter", _MEDICAL, "class", _same, _A_SESSION),
    Anchor("Encounter", _MEDICAL, "type", _codings, _A_SESSION),
    Anchor("Group", _ANY, "identifier", _ours_first, _WHICH),
    Anchor("Task", _ANY, "identifier", _ours_first, _WHICH),
    Anchor("Task", _ANY, "code", _code, _A_TASK),
    Anchor("Task", _ANY, "focus", _same, _A_TASK),
    Anchor("Task", _ANY, "basedOn", _same, _A_TASK),
    Anchor("Task", _ANY, "input", _all, _A_TASK),
    Anchor("Task", (codes.ACT,), "authoredOn", _some, "What was done counts from that time on"),
    Anchor("Basic", _ANY, "identifier", _ours_first, _WHICH),
    Anchor("Provenance", (), "target", _all, "It tells of these what has become of them"),
    Anchor("Provenance", (), "entity", _all, "It tells out of what these have become"),
)
#: Those of what was billed, beside them.
BILLED = (
    Anchor("Encounter", _SESSION, "subject", _same, _WHOSE),
    Anchor("Encounter", _MEDICAL, "subject", _same, _WHOSE),
)
#: What tells whom a session is about, and which threads are of it.
_WHOSE_IT_IS = {
    "Communication": ("subject", "encounter"),
    "Encounter": ("subject",),
    "Group": ("member",),
}


def _by_type(anchors: Iterable[Anchor]) -> dict[str, tuple[Anchor, ...]]:
    out: dict[str, tuple[Anchor, ...]] = {}
    for one in anchors:
        out[one.type] = (*out.get(one.type, ()), one)
    return out


_BY_TYPE = _by_type(ANCHORS)
#: The types that have any.
ANCHORED = frozenset(_BY_TYPE)

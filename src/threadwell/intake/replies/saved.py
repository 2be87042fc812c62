"""Saved replies: texts with a name, and with places that are filled when one is sent.

Each is an ``ActivityDefinition`` of a ``CommunicationRequest``, as FHIR has what can be ordered
again and again; docs/rules.md tells of its elements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.identity import Identity
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.care_zone import care_zone
from threadwell.intake.choices import kept_choices
from threadwell.intake.commits.batch import Batch
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import search_all
from threadwell.intake.patience import Contended, Patience
from threadwell.intake.replies.asked import BadReply
from threadwell.intake.seat import Standing
from threadwell.intake.settings import UNNAMED
from threadwell.stores.contract import Conflict, Key, Reading, Store

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_PLACE = re.compile(r"\{\{\s*([\w.]*)\s*(?:\|([^{}]*))?\}\}")
#: What a text may have filled in.
PLACES = (
    "patient.given",
    "patient.family",
    "writer.given",
    "writer.family",
    "practice.name",
    "practice.phone",
    "sender.name",
    "today",
)
#: In what language ``Expression.expression`` is: text with places in braces.
_LANGUAGE = "text/x-places"
_PATH = "payload.contentString"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadSavedReply(BadReply):
    """The saved reply makes no sense, or is not there; the message says why."""


@dataclass(frozen=True, slots=True)
class SavedReply:
    """A text with a name. ``resource`` is ``ActivityDefinition/…``."""

    name: str
    title: str
    text: str
    resource: str


async def save_reply(seat: Standing, name: str, text: str, *, title: str = "") -> SavedReply:
    """Keep a text under a name, in the place of another of that name.

    Raises ``BadSavedReply`` where it has places that nothing fills.
    """
    if not _NAME.fullmatch(name):
        raise BadSavedReply(f"{name!r} is no name of lower-case letters, digits and hyphens")
    if not text.strip():
        raise BadSavedReply("a saved reply has a text")
    check_text(text)
    store, project = seat.store, seat.project
    patience = Patience()
    while await patience.turn():
        # A client may have made it.
        made = next((one for one in await saved_replies(store, project) if one.name == name), None)
        id_ = made.resource if made else Identity(codes.SAVED, name).id
        key = Key("ActivityDefinition", id_.rpartition("/")[2])
        before = await store.read(project, *key)
        there = decode(before.body) if before and not before.deleted else None
        wanted = _resource(name, text, title or (there or {}).get("title", ""), there)
        if there == wanted:
            break
        batch = Batch(updated=seat.clock(), author=seat.by.author)
        batch.write(key, wanted, before)
        try:
            await store.commit(project, batch.change_set())
        except Conflict:
            continue
        break
    else:
        raise Contended("others keep writing to that saved reply")
    return saved_of({**wanted, "id": key.id})


async def remove_saved(seat: Standing, name: str) -> None:
    """Have no saved reply of that name any more: it is retired. Raises ``BadSavedReply``."""
    store, project = seat.store, seat.project
    patience = Patience()
    while await patience.turn():
        key = as_key((await find_saved(store, project, name)).resource)
        before = await store.read(project, *key)
        if before is None:
            continue
        batch = Batch(updated=seat.clock(), author=seat.by.author)
        batch.write(key, {**decode(before.body), "status": "retired"}, before)
        try:
            await store.commit(project, batch.change_set())
        except Conflict:
            continue
        return
    raise Contended("others keep writing to that saved reply")


async def saved_replies(store: Reading, project: str) -> list[SavedReply]:
    """Every saved reply, by name."""
    filters = (
        TokenFilter("identifier", (TokenMatch(codes.SAVED, None),)),
        TokenFilter("status", (TokenMatch(None, "active"),)),
    )
    query = Query("ActivityDefinition", filters)
    found = [saved_of(decode(one.body)) async for one in search_all(store, project, query)]
    return sorted((one for one in found if one.text), key=lambda one: one.name)


async def find_saved(store: Store, project: str, name: str) -> SavedReply:
    """The saved reply of that name; raises ``BadSavedReply``."""
    found = [one for one in await saved_replies(store, project) if one.name == name]
    if not found:
        raise BadSavedReply(f"there is no saved reply {name}")
    return found[0]


async def filled(seat: Standing, text: str, thread: str, *, sender: str = "") -> str:
    """A text with its places filled, for a thread (its header, or a message of it).

    Raises ``BadSavedReply`` where one cannot be filled and says nothing for that case.
    """
    check_text(text)
    wanted = {match[1] for match in _PLACE.finditer(text)}
    values = await _values(seat, thread, sender) if wanted else {}
    why: Mapping[str, str] = {}
    if wanted & {"practice.name", "practice.phone"}:
        of_practice, why = await _of_practice(seat.store, seat.project)
        values = {**values, **of_practice}

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1], "") or (match[2] or "").strip()
        if not value and match[2] is None:
            reason = why.get(match[1]) or f"nothing is known for {{{{{match[1]}}}}}"
            raise BadSavedReply(f"{reason}: write {{{{{match[1]}|…}}}} with what to say then")
        return value

    return _PLACE.sub(fill, text)


async def saved_text(seat: Standing, name: str, thread: str, *, sender: str) -> str:
    """The saved reply of that name, filled for a thread; raises ``BadSavedReply``."""
    saved = await find_saved(seat.store, seat.project, name)
    name = thread if "/" in thread else f"Communication/{thread}"
    return await filled(seat, saved.text, name, sender=sender)


def check_text(text: str) -> None:
    """Raise ``BadSavedReply`` where a text has a place that nothing fills."""
    for match in _PLACE.finditer(text):
        if match[1] not in PLACES:
            raise BadSavedReply(f"nothing is called {{{{{match[1]}}}}}, only {', '.join(PLACES)}")
    if "{{" in _PLACE.sub("", text):
        raise BadSavedReply("a place is written {{patient.given}} or {{patient.given|there}}")


def saved_of(resource: Resource) -> SavedReply:
    """What an ActivityDefinition keeps."""
    names = (
        str(one.get("value", ""))
        for one in resource.get("identifier") or ()
        if one.get("system") == codes.SAVED
    )
    texts = (
        str((one.get("expression") or {}).get("expression", ""))
        for one in resource.get("dynamicValue") or ()
        if one.get("path") == _PATH
    )
    return SavedReply(
        next(names, ""),
        str(resource.get("title", "")),
        next(texts, ""),
        f"ActivityDefinition/{resource['id']}",
    )


def _resource(name: str, text: str, title: str, there: Resource | None) -> Resource:
    others = [one for one in (there or {}).get("dynamicValue") or () if one.get("path") != _PATH]
    out: Resource = {
        **(there or {}),
        "resourceType": "ActivityDefinition",
        "identifier": [Identity(codes.SAVED, name).as_json()],
        "status": "active",
        "kind": "CommunicationRequest",
        "intent": "proposal",
        "dynamicValue": [
            {"path": _PATH, "expression": {"language": _LANGUAGE, "expression": text}},
            *others,
        ],
    }
    if title:
        out["title"] = title
    return out


async def _values(seat: Standing, thread: str, sender: str) -> Mapping[str, str]:
    """What fills the places, as far as it is known."""
    store, project, now = seat.store, seat.project, seat.clock()
    body = await _read(store, project, thread)
    if parents := body.get("partOf"):
        writer = target(body, "sender")
        header = await _read(store, project, str(parents[0].get("reference", "")))
    else:
        writer, header = target(body, "sender"), body
    patient = target(header, "subject")
    out: dict[str, str] = {}
    for place, name in (("patient", patient), ("writer", writer)):
        if name.startswith(("Patient/", "RelatedPerson/")):
            person = _name_in(await _read(store, project, name))
            out[f"{place}.given"] = " ".join(filter(None, person.get("given") or ()))
            out[f"{place}.family"] = str(person.get("family", ""))
    if sender:
        who = await _read(store, project, sender)
        if isinstance(who.get("name"), str):
            out["sender.name"] = who["name"]
        else:
            called = _name_in(who)
            parts = [*(called.get("given") or ()), str(called.get("family", ""))]
            out["sender.name"] = str(called.get("text") or " ".join(filter(None, parts)))
    zone = await care_zone(store)
    out["today"] = f"{(_EPOCH + timedelta(milliseconds=now)).astimezone(zone):%Y-%m-%d}"
    return out


async def _of_practice(store: Store, project: str) -> tuple[dict[str, str], dict[str, str]]:
    """What is known of the practice, by place, and why it is not where it is not."""
    choices = await kept_choices(store, project)
    chosen = choices.organization if choices else ""
    there = [decode(one.body) async for one in search_all(store, project, Query("Organization"))]
    found = [
        one
        for one in there
        if (chosen in (f"Organization/{one['id']}", one.get("name")))
        or (not chosen and one.get("active") is not False)
    ]
    if len(found) > 1:
        names = ", ".join(f"{one.get('name', '')} (Organization/{one['id']})" for one in found)
        why = f"there are {_number(len(found))} Organizations: {names}"
        return {}, dict.fromkeys(("practice.name", "practice.phone"), why)
    practice = found[0] if found else {}
    name = str(practice.get("name", ""))
    phones = [one for one in practice.get("telecom") or () if one.get("system") == "phone"]
    phone = str(phones[0].get("value", "")) if phones else ""
    if name in ("", UNNAMED):
        which = f" (name of Organization/{practice['id']})" if practice else ""
        return {"practice.phone": phone}, {
            "practice.name": f"the practice has no name of its own{which}"
        }
    return {"practice.name": name, "practice.phone": phone}, {}


def _number(count: int) -> str:
    return "two" if count == 2 else str(count)


async def _read(store: Store, project: str, name: str) -> Resource:
    key = as_key(name)
    stored = await store.read(project, *key) if key.id else None
    return decode(stored.body) if stored and not stored.deleted else {}


def _name_in(person: Resource) -> Mapping[str, Any]:
    """The name by which somebody is called: the usual one, else the first."""
    names = [one for one in person.get("name") or () if isinstance(one, dict)]
    usual = [one for one in names if one.get("use") in ("usual", "nickname")]
    return (usual or names or [{}])[0]

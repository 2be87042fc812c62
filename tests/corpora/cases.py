"""A case of the corpus: messages in, resources out.

A case is a JSON file: ``people`` (resources with ids), ``settings``, ``now``, ``messages``, and
``record``: what the store must hold in the end, told in the few words that ``told`` uses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from threadwell.app import channel_labels
from threadwell.encounters import codes
from threadwell.encounters.times import microseconds
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import Settings, parse_options, quarantine
from threadwell.messages import Attachment, Message, parse_email, parse_phone
from threadwell.messages.address import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write

FOLDER = Path(__file__).parent / "sessions"


def case_names() -> list[str]:
    """The names of all cases."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read_case(name: str) -> dict[str, Any]:
    """The case of that name."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def settings_of(case: dict[str, Any], batch: int = 1000) -> Settings:
    """The settings of a case."""
    given = case["settings"]
    return Settings(
        labels=channel_labels(),
        policy=given.get("policy", "per-day"),
        scope=given.get("scope", "thread"),
        options=parse_options(zone=given.get("zone", "UTC"), gap=given.get("gap", "24h")),
        unknown=given.get("unknown", "quarantine"),
        owner=tuple(address(text) for text in given.get("owner", ())),
        opening=tuple(given.get("opening", ())),
        closing=tuple(given.get("closing", ())),
        batch=batch,
    )


def messages_of(case: dict[str, Any]) -> list[Message]:
    """The messages of a case, in its order."""
    return [
        Message(
            channel=one["channel"],
            external_id=one["id"],
            sender=address(one["from"]),
            recipients=tuple(address(text) for text in one["to"]),
            sent=datetime.fromisoformat(one["sent"]),
            text=one["text"],
            new_text=one.get("new_text", one["text"]),
            thread_hint=one.get("thread", ""),
            subject=one.get("subject", ""),
            references=tuple(one.get("references", ())),
            in_reply_to=one.get("in_reply_to", ""),
            attachments=tuple(
                Attachment(file["name"], file["type"], file["text"].encode())
                for file in one.get("attachments", ())
            ),
            medium="EMAILWRIT" if one["channel"] == "email" else "SMSWRIT",
        )
        for one in case["messages"]
    ]


def clock_of(case: dict[str, Any]) -> int:
    """The time of the import, in milliseconds since 1970 UTC."""
    return microseconds(datetime.fromisoformat(case["now"])) // 1000


async def add(store: Store, people: Iterable[dict[str, Any]]) -> None:
    """Put resources with ids into the store, as they are."""
    writes = []
    for one in people:
        resource, body = stamp(one, one["id"], new_id(1), 1)
        version = resource["meta"]["versionId"]
        writes.append(Write(one["resourceType"], one["id"], version, 1, resource, body))
    await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))


def address(text: str) -> Address:
    """A phone number, a mail address or ``channel:name``."""
    return parse_email(text) or parse_phone(text, "US") or Address(AddressKind.OTHER, text)


async def told(store: Store) -> dict[str, Any]:
    """What the store holds of sessions, in a few words."""
    communications = await _all(store, "Communication")
    encounters = await _all(store, "Encounter")
    groups = {f"Group/{one['id']}": one for one in (await _all(store, "Group")).values()}
    headers = [one for one in communications.values() if "partOf" not in one]
    own_id = {id_: _own(one) for id_, one in communications.items()}

    def thread(header: dict[str, Any]) -> dict[str, Any]:
        mine = f"Communication/{header['id']}"
        children = [
            one
            for one in communications.values()
            if one.get("partOf", [{}])[0].get("reference") == mine
        ]
        return {
            "thread": _thread(header),
            "status": header["status"],
            "topic": header["topic"]["text"],
            "follows": bool(header.get("inResponseTo")),
            "recipients": [_who(one) for one in header["recipient"]],
            "messages": [
                _child(one, header.get("subject"), own_id)
                for one in sorted(children, key=lambda one: (one["sent"], _own(one)))
            ],
        }

    def session(one: dict[str, Any]) -> dict[str, Any]:
        mine = f"Encounter/{one['id']}"
        subject = one.get("subject", {}).get("reference", "")
        members = groups.get(subject, {}).get("member")
        medical = [
            part for part in encounters.values() if part.get("partOf", {}).get("reference") == mine
        ]
        return {
            "status": one["status"],
            "about": [member["entity"]["reference"] for member in members] if members else subject,
            "period": " – ".join(one["period"].values()),
            "participants": _participants(one),
            "threads": [
                thread(header)
                for header in sorted(headers, key=_thread)
                if header.get("encounter", {}).get("reference") == mine
            ],
            "medical_encounters": [
                {"about": part["subject"]["reference"], "participants": _participants(part)}
                for part in sorted(medical, key=lambda part: part["subject"]["reference"])
            ],
        }

    return {
        "sessions": [
            session(one)
            for one in sorted(
                encounters.values(), key=lambda one: (one["period"]["start"], _own(one))
            )
            if "partOf" not in one
        ],
        "outside": [thread(header) for header in headers if "encounter" not in header],
        "held": sorted(one.reason for one in await quarantine(store, DEFAULT_PROJECT)),
        "reviews": sorted(
            one["reasonCode"]["coding"][0]["code"]
            for one in (await _all(store, "Task")).values()
            if one["code"]["coding"][0]["code"] == "review" and one["status"] == "requested"
        ),
    }


async def _all(store: Store, type_: str) -> dict[str, dict[str, Any]]:
    page = await store.search(DEFAULT_PROJECT, Query(type_, count=1000))
    bodies = [decode(stored.body) for stored in page.matches]
    return {
        one["id"]: one
        for one in bodies
        if one.get("status") != "entered-in-error" and one.get("active") is not False
    }


def _own(resource: dict[str, Any]) -> str:
    return resource["identifier"][0]["value"]


def _thread(header: dict[str, Any]) -> str:
    own = header["identifier"][1]
    return f"{own['system'].removeprefix(codes.THREAD)} {own['value']}"


def _child(child: dict[str, Any], subject: Any, own_id: dict[str, str]) -> str:
    """``id by sender``, and what is not as in the rest of its thread."""
    out = f"{_own(child)} by {_who(child['sender'])}"
    if child.get("subject") != subject:
        out += f" about {child['subject']['reference']}"
    if "inResponseTo" in child:
        out += f" answers {own_id[child['inResponseTo'][0]['reference'].partition('/')[2]]}"
    for part in child["payload"]:
        if "contentAttachment" in part:
            out += f" with {part['contentAttachment']['title']}"
    return out


def _who(reference: dict[str, Any]) -> str:
    who = reference.get("reference") or reference["display"]
    return "the practice" if who.startswith("Organization/") else who


def _participants(encounter: dict[str, Any]) -> list[str]:
    return [
        f"{one['type'][0]['coding'][0]['code']} {one['individual']['reference']}"
        for one in encounter.get("participant", ())
    ]

"""A small practice, and imports into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

import in_process
from threadwell.encounters.corrected import Agent
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import Report, Settings, import_messages, parse_options
from threadwell.intake.seat import SOMEBODY, Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore

OFFICE = Address(AddressKind.PHONE, "+12125550100")
NOW = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp() * 1000)


@dataclass
class Practice:
    """A store in memory with ``people``, told and asked in one line each."""

    store: MemoryStore = field(default_factory=MemoryStore)
    settings: Settings = field(
        default_factory=lambda: Settings(owner=(OFFICE,), options=parse_options(gap="6h"))
    )
    now: int = NOW

    def run(self, what: Any) -> Any:
        """The outcome of a coroutine."""
        return in_process.run(what)

    def seat(self, by: Agent = SOMEBODY) -> Seat:
        """From where somebody acts at this time."""
        return Seat(self.store, DEFAULT_PROJECT, self.settings, by, lambda: self.now)

    def put(self, type_: str, id_: str, **elements: Any) -> None:
        """Write a resource, or a version of one right after the last import."""

        async def write():
            before = await self.store.read(DEFAULT_PROJECT, type_, id_)
            resource = {"resourceType": type_, **elements}
            at = self.now + 1 if before else 1
            resource, body = stamp(resource, id_, new_id(at), at)
            version = resource["meta"]["versionId"]
            change = Write(type_, id_, version, at, resource, body, before)
            await self.store.commit(DEFAULT_PROJECT, ChangeSet((change,)))

        self.run(write())

    def put_binary(self, id_: str, binary: dict[str, Any], content: bytes) -> None:
        """Write a Binary with its bytes."""

        async def write():
            resource, body = stamp(binary, id_, new_id(1), 1)
            version = resource["meta"]["versionId"]
            change = Write("Binary", id_, version, 1, resource, body, content=content)
            await self.store.commit(DEFAULT_PROJECT, ChangeSet((change,)))

        self.run(write())

    def delete(self, resource: dict[str, Any]) -> None:
        """Delete a resource, as somebody with a FHIR client may."""
        type_, id_ = resource["resourceType"], resource["id"]

        async def write():
            before = await self.store.read(DEFAULT_PROJECT, type_, id_)
            change = Write(type_, id_, new_id(2), 2, None, b"", before)
            await self.store.commit(DEFAULT_PROJECT, ChangeSet((change,)))

        self.run(write())

    def patient(self, id_: str, *telecom: str, given: str = "") -> None:
        """Write a Patient."""
        name = {"name": [{"given": [given]}]} if given else {}
        points = [{"system": "email" if "@" in t else "phone", "value": t} for t in telecom]
        self.put("Patient", id_, telecom=points, **name)

    def mother_of(self, *children: str, phone: str) -> None:
        """Write Patients of these given names, and their mother, who has that phone."""
        for child in children:
            self.patient(child.lower(), given=child)
            self.put(
                "RelatedPerson",
                f"mother-of-{child.lower()}",
                patient={"reference": f"Patient/{child.lower()}"},
                telecom=[{"value": phone}],
            )

    def take(self, *messages: Message) -> Report:
        """Import messages."""
        importing = import_messages(self.seat(), messages)
        return self.run(importing)

    def all(self, type_: str) -> list[dict[str, Any]]:
        """Every resource of a type, in the order of creation."""
        page = self.run(self.store.search(DEFAULT_PROJECT, Query(type_, count=1000)))
        return [decode(stored.body) for stored in page.matches]

    def live(self, type_: str) -> list[dict[str, Any]]:
        """Those that are not withdrawn."""
        return [one for one in self.all(type_) if one.get("status") != "entered-in-error"]


@pytest.fixture
def practice() -> Practice:
    """A practice with one patient, Ana."""
    made = Practice()
    made.patient("ana", "+12125550111", given="Ana")
    return made


@pytest.fixture
def sms() -> Callable[..., Message]:
    """An SMS of 10 April 2024, from a patient's phone or to it."""

    def make(
        id_: str, time: str, text: str = "hello", *, phone: str = "+12125550111", out: bool = False
    ) -> Message:
        other = Address(AddressKind.PHONE, phone)
        sender, recipient = (OFFICE, other) if out else (other, OFFICE)
        sent = datetime.fromisoformat(f"2024-04-10 {time}").replace(tzinfo=UTC)
        return Message(
            "sms_backup", id_, sender, (recipient,), sent, text, text, phone, medium="SMSWRIT"
        )

    return make

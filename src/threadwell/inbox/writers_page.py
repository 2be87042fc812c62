"""The page on which a person says who writes at an address that several patients share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from threadwell.fhir.resource import Resource
from threadwell.inbox.dates import Dates
from threadwell.inbox.names import address_text, name_of, role_of
from threadwell.inbox.quarantine import HeldItem, load_held
from threadwell.inbox.reader import Reader
from threadwell.inbox.reviews import waiting_for
from threadwell.intake.held.listing import SHARED, quarantined
from threadwell.intake.people.question import Scope, candidates, scope_of, writers
from threadwell.messages import Address

#: Messages that the page lists.
_MOST = 200


@dataclass(frozen=True, slots=True)
class Said:
    """What the form says: who writes (``Patient/…``, ``RelatedPerson/…``), and for what."""

    persons: tuple[str, ...] = ()
    holds_for: str = "address"

    @classmethod
    def of(cls, form: Mapping[str, Sequence[str]]) -> Said:
        """What was filled in, by the names of the fields."""
        (holds_for,) = (*form.get("for", ()), "address")[:1]
        return cls(tuple(dict.fromkeys(form.get("who", ()))), holds_for)

    @property
    def mistake(self) -> str:
        """What is wrong with it, ``""`` if nothing is."""
        return "" if self.persons else "Choose who writes first: one person, or several."


@dataclass(frozen=True, slots=True)
class Choice:
    """One who has the address (``Patient/…``, ``RelatedPerson/…``), and what they are."""

    who: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A held message: the id of its Task, and when it was sent."""

    id: str
    when: str


@dataclass(frozen=True, slots=True)
class WritersView:
    """What the page shows: the question about an address, or a held message of one.

    ``title`` is the address for people. ``message`` is there where the page is about one.
    ``waiting`` are the messages that wait for the answer, ``number`` of them, and ``open`` says
    that nobody has given one.
    """

    id: str
    title: str
    choices: list[Choice]
    said: Said
    open: bool
    message: HeldItem | None
    waiting: list[Waiting]
    number: int
    mistake: str


async def load_writers(
    reader: Reader, id_: str, said: Said, *, mistake: str, dates: Dates
) -> WritersView | None:
    """The page of the question or the held message of that Task; ``None`` for any other."""
    task = await reader.read("Task", id_)
    if task is None:
        return None
    scope = scope_of(task)
    message = None if scope else await _held(reader, task, dates)
    if scope is None and message is None:
        return None
    addresses = [scope.address] if scope else list(quarantined(task).shared)
    asked = [task] if scope else await _questions(reader, addresses)
    users = list(dict.fromkeys(who for one in asked for who in candidates(one)))
    references = [{"reference": who} for who in users]
    await reader.learn(references)
    answer = writers(task) if scope else ()
    tasks = {one["id"]: one for a in addresses for one in await waiting_for(reader, a.value)}
    return WritersView(
        id=id_,
        title=" and ".join(address_text(one.value) for one in addresses),
        choices=[
            Choice(one["reference"], name_of(one, reader), role_of(one, reader))
            for one in references
        ],
        said=said if said.persons or mistake else Said(answer),
        open=not answer,
        message=message,
        waiting=_in_time(list(tasks.values()), dates)[:_MOST],
        number=len(tasks),
        mistake=mistake,
    )


async def _held(reader: Reader, task: Resource, dates: Dates) -> HeldItem | None:
    """The message that a Task holds for a shared address, as an import of today does."""
    held = quarantined(task)
    if held.reason != SHARED or not held.shared:
        return None
    return await load_held(reader, task["id"], dates)


async def _questions(reader: Reader, addresses: Sequence[Address]) -> list[Resource]:
    found = [await reader.read("Task", Scope(one).identity.id) for one in addresses]
    return [one for one in found if one is not None]


def _in_time(tasks: Sequence[Resource], dates: Dates) -> list[Waiting]:
    ordered = sorted(tasks, key=lambda one: (str(one.get("authoredOn", "")), one["id"]))
    return [Waiting(one["id"], dates.text(one.get("authoredOn"))) for one in ordered]

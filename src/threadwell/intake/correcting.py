"""A person says whom messages are about, whether or not anybody had asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from threadwell.encounters.attribution import CHOSEN, SESSION
from threadwell.encounters.corrected import Agent, Correction
from threadwell.encounters.merge import is_live
from threadwell.encounters.placed import Placed
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import MissingFilter, Query, ReferenceFilter
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.fhir.stamp import new_id
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.due import patients_of
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.importing import revise
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.people.address_book import AddressBook
from threadwell.intake.people.standing import who_stand
from threadwell.intake.run import Run
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Key, Store


class BadCorrection(ValueError):
    """The correction cannot be taken; the message says why, without any content."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What has become of a correction, all as references.

    ``messages`` are those that it was about, in the order of time, ``provenance`` is its record.
    ``sessions`` are the session encounters that have these messages, none where a policy leaves
    them outside, and ``medical`` the medical encounters of those.
    """

    report: Report
    provenance: str
    messages: tuple[str, ...]
    sessions: tuple[str, ...]
    medical: tuple[str, ...]


async def correct_attribution(
    seat: Seat, subject: str, patients: Sequence[str], *, messages: Sequence[str] = ()
) -> Corrected:
    """Let messages be about those ``Patient/…``, or about nobody of whom it is known.

    ``subject`` is a session encounter (``Encounter/…``), a thread header or a message
    (``Communication/…``); ``messages`` are some of the messages of the session or header, where
    it is not all of them. It holds at once, and whatever comes later. Raises ``BadCorrection``
    where there is nothing of the kind, and ``Contended`` if others keep writing to it.
    """
    store, project = seat.store, seat.project
    chosen = sorted({f"Patient/{one.removeprefix('Patient/')}" for one in patients})
    await check_patients(store, project, chosen)
    chosen = sorted(await who_stand(store, project, chosen))
    headers, only = await meant_by(store, project, subject)
    wanted = {one.removeprefix("Communication/") for one in messages} or only
    if only and wanted != only:
        raise BadCorrection(f"{subject} is one message: it has no others")
    header = headers[0]
    circle = circle_of(header)
    ids, name = {one["id"] for one in headers}, new_id(seat.clock())
    said = _Said(subject, ids, wanted, chosen, seat.by, name)

    async def make(run: Run) -> Batch:
        who = await patients_of(run.people, circle, header["id"])
        if not who:
            raise BadCorrection(f"{subject} belongs to patients who cannot be told any more")
        return await run.revise(circle, who, lambda circle, _: said.put(circle))

    report = await revise(seat, make)
    sessions, medical = await encounters_of(store, project, said.messages)
    return Corrected(report, f"Provenance/{said.provenance}", said.messages, sessions, medical)


async def may_be_about(
    store: Store, project: str, session: str, settings: Settings
) -> tuple[str, ...]:
    """The patients whom the messages of a session encounter may be about, by their addresses.

    None where there is no such session of an import.
    """
    try:
        headers, _ = await meant_by(store, project, session)
    except BadCorrection:
        return ()
    people = AddressBook(store, project, settings)
    await people.start()
    return await patients_of(people, circle_of(headers[0]), headers[0]["id"])


@dataclass(slots=True)
class _Said:
    """What a person has said, until it stands on the messages.

    ``headers`` and ``wanted`` are logical ids, of the headers and of the messages that are meant;
    all are, where none is wanted. ``messages`` are those, once they are found.
    """

    subject: str
    headers: set[str]
    wanted: set[str]
    patients: Sequence[str]
    by: Agent
    provenance: str
    messages: tuple[str, ...] = ()

    def put(self, circle: Circle) -> None:
        """Put it on the messages; raises ``BadCorrection``."""
        if any(Key("Communication", header) in circle.locked for header in self.headers):
            raise BadCorrection(f"{self.subject} has been billed: it stays as it was billed")
        there = [
            one
            for one in circle.messages.values()
            if one.link is not None and one.link.header in self.headers
        ]
        meant = sorted(self._meant(there), key=lambda one: one.sent)
        ids = tuple(one.child for one in meant)
        how = Correction(self.provenance, ids, self.by)
        circle.correct(meant, self.patients, how, SESSION if len(meant) == len(there) else CHOSEN)
        self.messages = tuple(f"Communication/{one}" for one in ids)

    def _meant(self, there: Sequence[Placed]) -> list[Placed]:
        wanted = self.wanted
        meant = [one for one in there if not wanted or one.child in wanted]
        if missing := wanted - {one.child for one in meant}:
            names = ", ".join(f"Communication/{one}" for one in sorted(missing))
            raise BadCorrection(f"{self.subject} has no message {names}")
        if not meant:
            raise BadCorrection(f"{self.subject} has no messages of an import")
        return meant


async def check_patients(store: Store, project: str, patients: Sequence[str]) -> None:
    keys = [as_key(one) for one in patients]
    found = await store.read_many(project, keys) if keys else {}
    for key in keys:
        if key not in found or found[key].deleted:
            raise BadCorrection(f"there is no {key.type}/{key.id}")


async def meant_by(store: Store, project: str, subject: str) -> tuple[list[Resource], set[str]]:
    """The thread headers that are meant, and the one message if it is just one."""
    body = await _read(store, project, subject)
    if not is_live(body):
        raise BadCorrection(f"{subject} is superseded: say it of what has its messages now")
    only: set[str] = set()
    if body["resourceType"] == "Encounter":
        if session := target(body, "partOf"):
            raise BadCorrection(
                f"{subject} is one patient's part of a session: say it of {session}, "
                "or of messages of it"
            )
        linked = ReferenceFilter("encounter", (ReferenceMatch("Encounter", body["id"], ""),))
        query = Query("Communication", (linked, MissingFilter("part-of", missing=True)))
        found = [decode(one.body) async for one in search_all(store, project, query)]
    elif parents := body.get("partOf"):
        found = [await _read(store, project, str(parents[0].get("reference", "")))]
        only = {body["id"]}
    else:
        found = [body]
    headers = [one for one in found if is_live(one) and circle_of(one)]
    if not headers:
        raise BadCorrection(f"{subject} is not of an import: change its subject")
    return headers, only


async def _read(store: Store, project: str, name: str) -> Resource:
    key = as_key(name)
    if key.type not in ("Communication", "Encounter"):
        raise BadCorrection(f"{name} is neither Encounter/… nor Communication/…")
    stored = await store.read(project, *key)
    if stored is None or stored.deleted:
        raise BadCorrection(f"there is no {name}")
    body: Resource = decode(stored.body)
    return body


async def encounters_of(
    store: Store, project: str, messages: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The session encounters that have those messages now, and their medical encounters."""
    headers = await _targets(store, project, messages, "partOf")
    sessions = await _targets(store, project, headers, "encounter")
    medical: list[str] = []
    for some in chunks(sessions):
        parents = tuple(ReferenceMatch(*as_key(one), "") for one in some)
        query = Query("Encounter", (ReferenceFilter("part-of", parents),))
        parts = [decode(stored.body) async for stored in search_all(store, project, query)]
        medical += [f"Encounter/{one['id']}" for one in parts if is_live(one)]
    return sessions, tuple(medical)


async def _targets(
    store: Store, project: str, names: Sequence[str], element: str
) -> tuple[str, ...]:
    """What resources refer to in that element, each once, in their order."""
    out: dict[str, None] = {}
    for some in chunks(names):
        found = await store.read_many(project, [as_key(one) for one in some])
        for key in map(as_key, some):
            body = decode(found[key].body) if key in found and not found[key].deleted else {}
            value = body.get(element) or {}
            first = value[0] if isinstance(value, list) else value
            if name := str(first.get("reference", "")):
                out[name] = None
    return tuple(out)

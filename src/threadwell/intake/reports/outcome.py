"""Out of what a dry run would have written, what would have come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from threadwell.channels.services import SERVING, way_of
from threadwell.encounters import codes
from threadwell.encounters.merge import is_live, is_locked
from threadwell.encounters.names import resource_name
from threadwell.encounters.pattern import SESSIONS, is_session
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.commits.outcome import Outcome, TriedHeld, TriedSession
from threadwell.intake.commits.trial import Trial
from threadwell.intake.explained import ToldAt, Why, summed
from threadwell.intake.held.hold import NO_MESSAGE, decode_message
from threadwell.intake.held.listing import quarantined
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.reports.reasons import names_in, referred, told_in
from threadwell.intake.reports.sessions import channel_of, topic_of, way_of_header
from threadwell.stores.contract import Key, Store


async def outcome(trial: Trial, store: Store, project: str) -> Outcome:
    """What a dry run over ``store`` would have done."""
    await _reach(trial, store, project)
    tried = await _Tried.of(trial, store, project)
    made: list[TriedSession] = []
    changed: list[TriedSession] = []
    superseded: list[TriedSession] = []
    for id_, session in trial.sessions.items():
        before = trial.before.get(id_)
        was = before is not None and is_live(before)
        if is_live(session):
            (changed if was else made).append(tried.line(session))
        elif was:
            superseded.append(tried.line(trial.before[id_], was=True))
    there, billed = await _standing(store, project, trial.sessions)
    return Outcome(
        _in_time(made),
        _in_time(changed),
        _in_time(superseded),
        there,
        billed,
        tuple(_held(task, content) for task, content in trial.held),
    )


class _Tried:
    """The trial, with what its sessions refer to."""

    def __init__(
        self,
        trial: Trial,
        names: dict[str, Resource],
        told: Mapping[str, Sequence[ToldAt]],
        records: dict[str, Resource],
    ) -> None:
        self._trial = trial
        self._names = names
        self._headers: dict[str, list[Resource]] = {}
        for header in trial.headers.values():
            session = target(header, "encounter").removeprefix("Encounter/")
            self._headers.setdefault(session, []).append(header)
        self._told = told
        self._known = names | records
        self._messages = Counter(trial.lines.values())
        self._messages_before = Counter(trial.lines_before.values())

    @classmethod
    async def of(cls, trial: Trial, store: Store, project: str) -> _Tried:
        """With whom the sessions are about, and why, out of the trial and the store."""
        told = await _told(trial, store, project)
        every = names_in(one for those in told.values() for one in those)
        sources = {name for name in every if not name.startswith("Patient/")}
        records = await referred(store, project, sources - trial.records.keys())
        names: dict[str, Resource] = {}
        wanted = {target(one, "subject") for one in trial.sessions.values()} - {""}
        while wanted:
            own = {name for name in wanted if as_key(name).id in trial.named}
            names.update((name, trial.named[as_key(name).id]) for name in own)
            keys = [as_key(name) for name in sorted(wanted - own)]
            found = await store.read_many(project, keys) if keys else {}
            names.update(
                (f"{key.type}/{key.id}", decode(one.body))
                for key, one in found.items()
                if not one.deleted
            )
            members = {who for name in wanted for who in _members(names.get(name, {}))}
            wanted = members - names.keys() - wanted
        return cls(trial, names, told, records | trial.records)

    def line(self, session: Resource, *, was: bool = False) -> TriedSession:
        """A session in a line, as it would be, or as it ``was``."""
        found = self._headers.get(session["id"], ())
        headers = sorted((one for one in found if is_live(one) is not was), key=_sent)
        messages = self._messages_before if was else self._messages
        subject = target(session, "subject")
        patients = tuple(_members(self._names.get(subject, {}))) or ((subject,) if subject else ())
        period = session.get("period") or {}
        return TriedSession(
            session["id"],
            str(session.get("status", "")),
            patients,
            tuple(resource_name(self._names.get(who, {})) or who for who in patients),
            next((topic for one in headers if (topic := topic_of(one))), ""),
            tuple(dict.fromkeys(filter(None, map(channel_of, headers)))),
            tuple(dict.fromkeys(filter(None, map(way_of_header, headers)))),
            period.get("start", ""),
            period.get("end", ""),
            sum(messages[header["id"]] for header in headers),
            self._trial.asked.get(session["id"], False),
            () if was else self._why(headers, patients),
        )

    def _why(self, headers: Sequence[Resource], patients: Sequence[str]) -> tuple[Why, ...]:
        told = [one for header in headers for one in self._told.get(header["id"], ())]
        return summed(told, patients, self._known)


async def _told(trial: Trial, store: Store, project: str) -> dict[str, list[ToldAt]]:
    """What the messages of each thread header, by id, would tell."""
    out: dict[str, list[ToldAt]] = {}
    for id_, told in trial.told.items():
        out.setdefault(trial.lines[id_], []).append(told)
    there = [
        header["id"]
        for header in trial.headers.values()
        if is_live(header) and as_key(target(header, "encounter")).id in trial.before
    ]
    for header, messages in (await told_in(store, project, there)).items():
        rest = [one for id_, one in messages.items() if id_ not in trial.told]
        out.setdefault(header, []).extend(rest)
    return out


async def _reach(trial: Trial, store: Store, project: str) -> None:
    """Find the sessions that get messages and are themselves written no other way."""
    missing = {header for header in trial.lines.values() if header and header not in trial.headers}
    for name, header in (await _read(store, project, "Communication", missing)).items():
        trial.headers[name] = header
    of = {as_key(target(one, "encounter")).id for one in trial.headers.values()} - {""}
    for name, session in (
        await _read(store, project, "Encounter", of - set(trial.sessions))
    ).items():
        if is_session(session):
            trial.sessions[name] = trial.before[name] = session


async def _read(store: Store, project: str, type_: str, ids: Iterable[str]) -> dict[str, Resource]:
    out: dict[str, Resource] = {}
    for some in chunks(sorted(ids)):
        found = await store.read_many(project, [Key(type_, id_) for id_ in some])
        out.update((key.id, decode(one.body)) for key, one in found.items() if not one.deleted)
    return out


async def _standing(store: Store, project: str, touched: Iterable[str]) -> tuple[int, int]:
    """How many sessions of the store are not touched, and how many of these were billed."""
    without = set(touched)
    locked: set[str] = set()
    billed_ = TokenFilter("_tag", (TokenMatch(codes.BILLED["system"], codes.BILLED["code"]),))
    async for stored in search_all(store, project, Query("Encounter", (billed_,))):
        one = decode(stored.body)
        if is_locked(one):
            locked.add(as_key(target(one, "partOf")).id or stored.id)
    live = TokenFilter("status", (TokenMatch(None, "entered-in-error"),), negate=True)
    number = billed = 0
    async for stored in search_all(store, project, Query("Encounter", (*SESSIONS, live))):
        if stored.id not in without:
            number += 1
            billed += stored.id in locked
    return number, billed


def _held(task: Resource, content: bytes) -> TriedHeld:
    one = quarantined(task)
    addresses = (*one.unknown, *one.shared)
    if not addresses and content and one.reason not in NO_MESSAGE:
        message = decode_message(content)
        addresses = (message.sender, *message.recipients)
    way = one.channel
    if way in SERVING and content and one.reason not in NO_MESSAGE:
        way = way_of(way, decode_message(content).thread_hint)
    return TriedHeld(one.reason, one.text, one.channel, way, one.sent, addresses)


def _in_time(sessions: Sequence[TriedSession]) -> tuple[TriedSession, ...]:
    return tuple(sorted(sessions, key=lambda one: (_at(one.start), one.id)))


def _members(group: Resource) -> list[str]:
    entities = (one.get("entity") or {} for one in group.get("member") or ())
    return [str(one["reference"]) for one in entities if one.get("reference")]


def _sent(header: Resource) -> int:
    return _at(str(header.get("sent", "")))


def _at(text: str) -> int:
    try:
        return parse_fhir_time(text)
    except ValueError:
        return 0

"""What rules would have done with what is stored: nothing is written, and nothing is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

from threadwell.encounters import codes
from threadwell.encounters.child_ids import own_of
from threadwell.encounters.people import addresses_of
from threadwell.encounters.said import new_text_of
from threadwell.encounters.times import fhir_time, parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import MissingFilter, Query, ReferenceFilter, Sort
from threadwell.fhir.search.sought import ReferenceMatch
from threadwell.intake.circles.quiet import is_quiet
from threadwell.intake.links import circle_of, target
from threadwell.intake.paging import search_all
from threadwell.intake.rulebook.ruleset import Actions, Event, Rule, RuleSet
from threadwell.intake.rules.cases import thread_in
from threadwell.intake.rules.judging import Facts, holds
from threadwell.stores.contract import Store

_IS_HEADER = MissingFilter("part-of", missing=True)


@dataclass(frozen=True, slots=True)
class Would:
    """One run that there would have been: when (a FHIR ``dateTime``), about which message or
    session, in which thread, and what it would have done.
    """

    rule: str
    event: str
    at: str
    about: str
    thread: str
    done: tuple[str, ...]


@dataclass(slots=True)
class _Line:
    """A stored message, as far as rules ask of it."""

    at: int
    id: str
    header: str
    channel: str
    text: str
    inbound: bool
    quiet: bool


async def try_rules(
    store: Store, project: str, rules: RuleSet, *, since: int = 0, until: int
) -> list[Would]:
    """What the rules would have done between two times, in its order (µs since 1970 UTC).

    Tags and owners are as they are now; that one run changes what another one sees is not tried.
    """
    out: list[tuple[int, Would]] = []
    first: dict[str, int] = {}
    threads: dict[tuple[str, str, str], list[_Line]] = {}
    headers: dict[str, Resource] = {}
    async for header, lines in _threads(store, project):
        headers[str(header["id"])] = header
        circle = circle_of(header)
        threads.setdefault((circle, *thread_in(header)), []).extend(lines)
        began = [one.at for one in lines if one.inbound]
        if began:
            first[circle] = min(first.get(circle, began[0]), *began)
    for (circle, _, _), lines in threads.items():
        lines.sort(key=lambda one: (one.at, one.id))
        for at, event, line in _events(lines, rules, until):
            if not since <= at < until:
                continue
            facts = Facts(
                at,
                line.channel,
                line.text,
                _tags(headers[line.header]),
                line.at == first.get(circle),
            )
            for rule in rules.of(event):
                waited = event is not Event.UNANSWERED or at == rules.due(line.at, rule.after_us)
                if waited and holds(rule, facts, rules.hours):
                    out.append((at, _would(rule, at, line, headers)))
    if rules.of(Event.CLOSED):
        out += [one async for one in _sessions(store, project, rules, headers, since, until)]
    return [one for _, one in sorted(out, key=lambda pair: (pair[0], pair[1].rule, pair[1].about))]


def _events(lines: list[_Line], rules: RuleSet, until: int) -> Iterator[tuple[int, Event, _Line]]:
    """What happened in a thread; ``lines`` are in the order of time."""
    waits: _Line | None = None
    for at, line in enumerate(lines):
        if line.quiet:
            continue
        if not line.inbound:
            yield from _waited(waits, rules, line.at)
            waits = None
            continue
        yield line.at, Event.MESSAGE, line
        if not at:
            yield line.at, Event.THREAD, line
        waits = waits or line
    yield from _waited(waits, rules, until)


def _waited(waits: _Line | None, rules: RuleSet, until: int) -> Iterator[tuple[int, Event, _Line]]:
    if waits is not None:
        moments = {rules.due(waits.at, one.after_us) for one in rules.of(Event.UNANSWERED)}
        yield from ((at, Event.UNANSWERED, waits) for at in sorted(moments) if at < until)


async def _threads(store: Store, project: str) -> AsyncIterator[tuple[Resource, list[_Line]]]:
    async for stored in search_all(store, project, Query("Communication", (_IS_HEADER,))):
        header: Resource = decode(stored.body)
        if not circle_of(header) or header.get("status") == "entered-in-error":
            continue
        whole = ReferenceFilter("part-of", (ReferenceMatch("Communication", stored.id, ""),))
        query = Query("Communication", (whole,), sort=(Sort("sent"),))
        bodies = [decode(one.body) async for one in search_all(store, project, query)]
        lines = [_line(one, stored.id) for one in bodies if one.get("status") != "entered-in-error"]
        yield header, lines


def _line(child: Resource, header: str) -> _Line:
    own = own_of(child)
    text = new_text_of(child)
    notes = [one["text"] for one in child.get("note") or () if one.keys() == {"text"}]
    medium = ((child.get("medium") or [{}])[0].get("coding") or [{}])[0].get("code", "")
    sender = child.get("sender") or {}
    who = target(child, "sender")
    inbound = who.startswith(("Patient/", "RelatedPerson/")) or (
        not who and bool(addresses_of(sender))
    )
    files = any("contentAttachment" in one for one in child.get("payload") or ())
    return _Line(
        parse_fhir_time(str(child.get("sent", "1970"))),
        str(child["id"]),
        header,
        own.channel if own else "",
        text,
        inbound,
        is_quiet(text, notes, medium, files=files),
    )


async def _sessions(
    store: Store,
    project: str,
    rules: RuleSet,
    headers: Mapping[str, Resource],
    since: int,
    until: int,
) -> AsyncIterator[tuple[int, Would]]:
    by_session: dict[str, str] = {}
    for id_, header in headers.items():
        by_session.setdefault(target(header, "encounter"), id_)
    async for stored in search_all(store, project, Query("Encounter")):
        body: Resource = decode(stored.body)
        name = f"Encounter/{stored.id}"
        end = str((body.get("period") or {}).get("end", ""))
        if body.get("status") != "finished" or name not in by_session or not end:
            continue
        at = parse_fhir_time(end)
        header = headers[by_session[name]]
        facts = Facts(at, thread_in(header)[0], "", _tags(header))
        for rule in rules.of(Event.CLOSED):
            if since <= at < until and holds(rule, facts, rules.hours):
                thread = f"Communication/{header['id']}"
                done = tuple(planned(rule.then))
                yield at, Would(rule.name, rule.event, fhir_time(at), name, thread, done)


def _would(rule: Rule, at: int, line: _Line, headers: Mapping[str, Resource]) -> Would:
    return Would(
        rule.name,
        rule.event,
        fhir_time(at),
        f"Communication/{line.id}",
        f"Communication/{headers[line.header]['id']}",
        tuple(planned(rule.then)),
    )


def planned(then: Actions) -> Iterator[str]:
    """What a rule is to do, in words."""
    if then.reply:
        yield f"reply {then.reply}"
    if then.close:
        yield "close the session"
    if then.tags:
        yield f"tag {', '.join(then.tags)}"
    if then.pool:
        yield f"give to {then.pool.display or then.pool.code}"
    if then.priority:
        yield f"priority {then.priority}"
    if then.remind:
        yield "remind"
    if then.note:
        yield "note"


def _tags(header: Resource) -> frozenset[str]:
    tags = (header.get("meta") or {}).get("tag") or ()
    return frozenset(str(one.get("code")) for one in tags if one.get("system") == codes.TAG)

"""Reads a store's Encounters, RelatedPersons, headers and messages once, and applies every rule."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import MissingFilter, Query
from threadwell.intake.care_zone import days_of_store
from threadwell.intake.links import as_key
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.people.standing import all_replaced
from threadwell.intake.reports.verify.facts import Facts
from threadwell.intake.reports.verify.finding import Finding
from threadwell.intake.reports.verify.rules import OF_MESSAGES, headers_and_encounters
from threadwell.stores.contract import Store, StoreError

#: Is told how many messages were looked at.
Checked: TypeAlias = Callable[[int], None]

#: Messages that are looked at together.
_AT_ONCE = 2_000
_HEADERS = Query("Communication", (MissingFilter("part-of", missing=True),))
_MESSAGES = Query("Communication", (MissingFilter("part-of", missing=False),))


async def verify(store: Store, project: str, checked: Checked | None = None) -> list[Finding]:
    """What in the store does not keep the pattern, by resource; empty if everything does.

    Headers and Encounters are looked at together, messages some at a time. As much of them as the
    rules need goes to a file without a name where it is much, so that memory grows with neither.
    ``checked`` is told how many messages were looked at. Raises ``StoreError``,
    also where there is no room for that file.
    """
    facts = Facts(replaced=await all_replaced(store, project))
    try:
        findings = await _looked(store, project, facts, checked)
    except sqlite3.Error as error:
        raise StoreError(f"what sessions tell could not be kept in a file: {error}") from error
    finally:
        facts.close()
    findings += await _other_days(store, project)
    every = dict.fromkeys(findings)
    return sorted(every, key=lambda one: (one.resource, one.rule, one.text))


async def _looked(
    store: Store, project: str, facts: Facts, checked: Checked | None
) -> list[Finding]:
    odd: list[Resource] = []
    for query in (Query("RelatedPerson"), Query("Encounter"), _HEADERS):
        async for stored in search_all(store, project, query):
            one = decode(stored.body)
            # What it is part of may be named by nothing that can be searched by.
            odd.append(one) if one.get("partOf") and query is _HEADERS else facts.add(one)
    findings = list(headers_and_encounters(facts))
    number = 0
    async for messages in _messages(store, project, odd):
        await _take(store, project, facts, messages)
        # Of what holds of a session each part of its messages may tell.
        findings += [finding for rule in OF_MESSAGES for finding in rule(facts)]
        number += len(messages)
        if checked is not None:
            checked(number)
    return findings


async def _messages(
    store: Store, project: str, first: list[Resource]
) -> AsyncIterator[list[Resource]]:
    some = first
    async for stored in search_all(store, project, _MESSAGES):
        some.append(decode(stored.body))
        if len(some) >= _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


async def _take(store: Store, project: str, facts: Facts, messages: list[Resource]) -> None:
    """Have just these messages, and what they are part of where that is not known."""
    facts.children.clear()
    facts.messages.clear()
    for one in messages:
        facts.add(one)
    headers = {child.header for child in facts.children.values()}
    facts.messages |= headers & facts.children.keys()
    unknown = headers - facts.threads.keys() - facts.withdrawn.keys() - facts.messages
    for some in chunks(sorted(unknown)):
        found = await store.read_many(project, [as_key(name) for name in some if "/" in name])
        for stored in found.values():
            if stored.deleted or stored.type != "Communication":
                continue
            one = decode(stored.body)
            if not one.get("partOf"):
                # It was written since.
                facts.add(one)
            elif one.get("status") != "preparation":
                facts.messages.add(f"Communication/{stored.id}")


async def _other_days(store: Store, project: str) -> list[Finding]:
    """The sessions that newer rules of the time zone have other days for; they wait for a recut."""
    days = await days_of_store(store, project)
    if days is None or days.kept is None:
        return []
    return [
        Finding(
            "warning",
            one.encounter,
            "zone-data",
            f"messages of {one.old} are of {one.new} by zone data {days.here.release}; it was cut "
            f"by {days.kept.release}",
        )
        for one in days.waiting
    ]

"""Circles recorded alone, with no store at hand, are those that an import writes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from tests.property.test_intake import (
    MESSAGES,
    NOW,
    PEOPLE,
    SETTINGS,
    SHORTLY_AFTER,
    a_message,
    live,
    with_people,
)
from threadwell.fhir.json import decode
from threadwell.intake import import_messages
from threadwell.intake.gathered.alone import Alone
from threadwell.intake.seat import Seat
from threadwell.messages import Broken
from threadwell.stores.contract import DEFAULT_PROJECT

KNOWN = [{"resourceType": type_, "id": id_, **elements} for type_, id_, elements in PEOPLE]


def together(keys: list[str], messages: list) -> list[list]:
    """The messages in the parts that have to be recorded by one call."""
    parts: list[tuple[set, list]] = []
    for key, one in zip(keys, messages, strict=True):
        names = {key, getattr(one, "external_id", "") and (one.channel, one.external_id)} - {""}
        names |= {"waiting"} if not key else set()
        mine = [part for part in parts if part[0] & names]
        parts = [part for part in parts if part not in mine]
        every = set().union(names, *(part[0] for part in mine))
        parts.append((every, [*(m for _, those in mine for m in those), one]))
    return [those for _, those in parts]


def recorded(items: list, how, now: int) -> tuple[dict[str, object], dict[str, int]]:
    alone = Alone(KNOWN, how, clock=lambda: now)
    out, counts = {}, {"new": 0, "known": 0, "quarantined": 0}
    for part in together(alone.circles_of(items), items):
        made, done = alone.record(part)
        for name in counts:
            counts[name] += getattr(done.counts, name)
        for write in made:
            body = decode(write.body)
            del body["meta"]
            if body.get("status") not in ("entered-in-error", "cancelled"):
                out[f"{write.type}/{write.id}"] = body
    return out, counts


async def imported(items: list, how, now: int) -> tuple[dict[str, object], dict[str, int]]:
    store = await with_people()
    report = await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=lambda: now), items)
    people = {f"{type_}/{id_}" for type_, id_, _ in PEOPLE}
    counts = {name: getattr(report.counts, name) for name in ("new", "known", "quarantined")}
    return {name: one for name, one in (await live(store)).items() if name not in people}, counts


ITEMS = st.lists(
    st.one_of(
        a_message(),
        a_message(),
        st.builds(Broken, *map(st.just, ("email", "a", "b")), st.binary(max_size=2)),
    ),
    min_size=1,
    max_size=12,
)


@COSTLY
@given(st.one_of(MESSAGES, ITEMS), SETTINGS, st.sampled_from([NOW, SHORTLY_AFTER]), st.data())
def test_what_is_recorded_alone_is_what_an_import_writes(items, how, now, data):
    how = replace(how, batch=100)
    shuffled = data.draw(st.permutations(items))
    assert recorded(shuffled, how, now) == asyncio.run(imported(items, how, now))

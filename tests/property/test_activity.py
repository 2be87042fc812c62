"""The list of sessions by their last messages is whole and in order, whichever way it is turned."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from threadwell.encounters import codes
from threadwell.fhir.stamp import stamp
from threadwell.inbox import activity
from threadwell.inbox.activity import Recent, recent
from threadwell.inbox.reader import Reader
from threadwell.inbox.turning import LAST
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore

#: Few moments, so that many sessions tie.
_MINUTES = st.integers(0, 6)
#: A session: when it began (``None`` for unknown), and the messages of each of its threads.
_SESSIONS = st.lists(
    st.tuples(st.none() | _MINUTES, st.lists(st.lists(_MINUTES, max_size=4), max_size=2)),
    max_size=12,
)


def _time(minute: int) -> str:
    return f"2024-03-12T10:{minute:02}:00Z"


def _at(minute: int) -> int:
    return activity._time(_time(minute))


async def _filled(sessions: list[Any]) -> tuple[MemoryStore, list[str]]:
    """A store of those sessions, and their ids as they are to be listed."""
    store, order = MemoryStore(), []
    writes: list[Write] = []

    def write(type_: str, id_: str, **body: Any) -> None:
        resource, written = stamp({"resourceType": type_, **body}, id_, "1", 1)
        writes.append(Write(type_, id_, "1", 1, resource, written))

    for number, (began, threads) in enumerate(sessions):
        id_ = f"s{number:02}"
        period = {} if began is None else {"period": {"start": _time(began)}}
        write("Encounter", id_, **{"status": "finished", "class": codes.VIRTUAL}, **period)
        for at, minutes in enumerate(threads):
            header = f"{id_}-{at}"
            session = {"reference": f"Encounter/{id_}"}
            write("Communication", header, status="completed", encounter=session)
            for one, minute in enumerate(minutes):
                parent = [{"reference": f"Communication/{header}"}]
                child = {"status": "completed", "partOf": parent, "sent": _time(minute)}
                write("Communication", f"{header}-{one}", **child)
        spoken = [minute for minutes in threads for minute in minutes]
        last = _at(max(spoken)) if spoken else 0 if began is None else _at(began)
        order.append((last, id_))
    if writes:
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))
    return store, [id_ for _, id_ in sorted(order, reverse=True)]


@given(_SESSIONS, st.integers(1, 4), st.integers(1, 3), st.integers(0, 20), *[st.booleans()] * 2)
def test_every_session_is_listed_once_in_order(
    sessions: list[Any], count: int, batch: int, most: int, back: bool, known: bool
) -> None:
    async def listed() -> tuple[list[str], list[str]]:
        store, order = await _filled(sessions)

        async def fits(_encounter: Any, _last: Any) -> bool:
            return True

        found: list[str] = []
        cursor, wanted = LAST if back else "", Recent(fits)
        reader = Reader(store, DEFAULT_PROJECT)
        among = await reader.search_all("Encounter?") if known else None
        while True:
            page = await recent(reader, wanted, cursor, count, among)
            ids = [one["id"] for one in page.encounters]
            assert len(ids) <= count
            found = [*ids, *found] if back else [*found, *ids]
            cursor = page.turns.before if back else page.turns.after
            if not cursor:
                return found, order

    with patch.multiple(activity, _BATCH=batch, _FEW=batch, _MOST=most):
        found, order = asyncio.run(listed())
    assert found == order


@given(_SESSIONS, st.integers(1, 4))
def test_a_page_is_gone_back_to(sessions: list[Any], count: int) -> None:
    async def turned() -> None:
        store, order = await _filled(sessions)

        async def fits(encounter: Any, _last: Any) -> bool:
            return encounter["id"] != "s01"

        reader, wanted = Reader(store, DEFAULT_PROJECT), Recent(fits)
        kept = [id_ for id_ in order if id_ != "s01"]
        first = await recent(reader, wanted, "", count)
        assert first.turns.before == ""
        if not first.turns.after:
            assert [one["id"] for one in first.encounters] == kept
            return
        second = await recent(reader, wanted, first.turns.after, count)
        if second.encounters:
            back = await recent(reader, wanted, second.turns.before, count)
            assert back.encounters == first.encounters
            assert back.turns.before == ""

    asyncio.run(turned())


@given(_SESSIONS, _MINUTES, _MINUTES)
def test_days_are_those_of_the_last_message(sessions: list[Any], low: int, high: int) -> None:
    async def listed() -> tuple[set[str], set[str]]:
        store, _ = await _filled(sessions)

        async def fits(_encounter: Any, _last: Any) -> bool:
            return True

        wanted = Recent(fits, since=_at(low), until=_at(high))
        page = await recent(Reader(store, DEFAULT_PROJECT), wanted, "", 100)
        inside = set()
        for number, (began, threads) in enumerate(sessions):
            spoken = [minute for minutes in threads for minute in minutes]
            last = max(spoken) if spoken else began
            if last is not None and low <= last < high:
                inside.add(f"s{number:02}")
        return {one["id"] for one in page.encounters}, inside

    found, inside = asyncio.run(listed())
    assert found == inside

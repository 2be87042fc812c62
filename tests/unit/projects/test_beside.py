"""What goes on without a request: duties and mails of several projects."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from threadwell.api.readiness import Readiness
from threadwell.audit.record import Who
from threadwell.audit.trail import Trail
from threadwell.channels.account import Account
from threadwell.duties import rota
from threadwell.duties.duty import Duty
from threadwell.duties.lease import still_held
from threadwell.duties.rota import perform_all
from threadwell.duties.standing import Record, keep_record, standings
from threadwell.fhir.stamp import now_ms
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.journal import ARRIVED
from threadwell.intake.chat.typing import Side, Typing
from threadwell.messages import parse_email
from threadwell.projects.registry import create_project
from threadwell.projects.within import within
from threadwell.server.mail.houses import Houses
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Kept, Store
from threadwell.stores.memory import MemoryStore


def test_duties_of_all_projects_are_done_and_of_new_ones_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rota, "BEAT", 0.02)
    monkeypatch.setattr(rota, "AGAIN", 0.05)
    whole = MemoryStore()
    done: list[str] = []

    def duty(store: Store, project: str) -> Duty:
        async def round_() -> float:
            # The lease is the server's, and holds for what a project commits.
            kept = Kept("setting", "done", project.encode())
            await store.commit(project, ChangeSet((), kept=(kept, *still_held())))
            done.append(project)
            return 0.01

        return Duty("count", round_, heeds_stirs=False)

    async def run() -> None:
        known = {DEFAULT_PROJECT: [duty(whole, DEFAULT_PROJECT)]}

        async def shifts() -> Mapping[str, Sequence[Duty]]:
            return known

        stop = asyncio.Event()
        performing = asyncio.create_task(perform_all(whole, shifts, stop))
        async with asyncio.timeout(60):
            while DEFAULT_PROJECT not in done:
                await asyncio.sleep(0.005)
            further = (await create_project(whole, "Hill", now_ms())).id
            known[further] = [duty(within(whole, further), further)]
            while further not in done:
                await asyncio.sleep(0.005)
            told = {one.name: one.held for one in await standings(whole)}
            assert told == {"count": True, f"count@{further}": True}
            stop.set()
            await performing
        assert await within(whole, further).get_private("setting", "done") == further.encode()
        assert await whole.get_private("setting", "done") == DEFAULT_PROJECT.encode()

    asyncio.run(run())


def test_a_mail_is_kept_for_the_project_whose_address_it_has() -> None:
    async def run() -> None:
        whole = MemoryStore()
        hill = (await create_project(whole, "Hill", now_ms())).id
        addresses = {DEFAULT_PROJECT: "desk@first.example.org", hill: "desk@hill.example.org"}
        for project, text in addresses.items():
            address = parse_email(text)
            assert address is not None
            # Both call it alike.
            account = Account("desk", "email", (address,), {"provider": "lmtp"})
            await keep_account(within(whole, project), project, account)
        houses = Houses(whole)
        found = [await houses.account_of(text) for text in addresses.values()]
        assert await houses.account_of("nobody@hill.example.org") is None
        into = [one for one in found if one is not None]
        assert len({one.name for one in into}) == 2
        raw = b"Message-ID: <1@example.org>\r\n\r\nhi\r\n"
        await houses.keep(into, raw, "ana@example.org", datetime(2026, 11, 1, tzinfo=UTC))
        for project in addresses:
            assert len(await within(whole, project).list_private(ARRIVED)) == 1

    asyncio.run(run())


def test_typing_in_one_project_is_not_seen_in_another() -> None:
    typing = Typing()
    mine, other = typing.of("a"), typing.of("b")
    mine.tell("app/1", Side.PATIENT, 1000)
    assert mine.is_typing("app/1", Side.PATIENT, 2000)
    assert not other.is_typing("app/1", Side.PATIENT, 2000)
    # All workers and projects share the memory of it.
    assert typing.of("a").is_typing("app/1", Side.PATIENT, 2000)
    assert mine.told == other.told


def test_what_anybody_may_ask_of_the_server_names_no_project() -> None:
    async def run() -> None:
        whole = MemoryStore()
        hill = (await create_project(whole, "Hill", now_ms())).id
        records = {
            "outbox": Record(3, 0, 1.5, 9.0),
            f"outbox@{hill}": Record(2, 1, 0.5, 4.0, 5.0, "X"),
        }
        for name, record in records.items():
            await keep_record(whole, name, record)
        for project in (DEFAULT_PROJECT, hill):
            await keep_account(within(whole, project), project, Account("desk", "twilio"))
        readiness = Readiness(whole, DEFAULT_PROJECT)
        (told,) = await readiness.duties()
        assert (told.name, told.record) == ("outbox", Record(5, 1, 2.0, 4.0, 5.0, "X"))
        assert [one.account for one in (await readiness.waits()).outbox] == ["desk"]

    asyncio.run(run())


def test_a_flood_for_one_project_hides_nothing_in_another() -> None:
    trail = Trail(MemoryStore())
    for _ in range(50):
        trail.refused("a", "login", Who(way="api"), status=401, asked="auth/login")
    trail.refused("b", "login", Who(way="api"), status=401, asked="auth/login")

    async def lines(project: str) -> list[str]:
        await trail.drain()
        blocks = [block async for block in trail.blocks(project)]
        return [line.record.by.name for block in blocks for line in block.lines()]

    assert len(asyncio.run(lines("a"))) < 50
    assert asyncio.run(lines("b")) == [""]

"""A delivery that cannot be taken in does not stop those behind it; a person decides about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import threadwell
from threadwell.app import channel_labels, live_channels, open_store
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.cli import main
from threadwell.encounters.delivery import ids_of
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import import_people, live
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.journal import ARRIVED, entries, keep
from threadwell.intake.arrivals.stuck import NotStuck, drop_delivery, replay_delivery
from threadwell.intake.arrivals.stuck import stuck_deliveries as stuck_in
from threadwell.intake.arrivals.taking import PAUSES, Taking
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, Store, StoreError
from threadwell.stores.memory import MemoryStore

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ACCOUNT = Account("desk", "twilio", (OFFICE,), {"account_sid": "AC", "auth_token": "x"})
START = datetime(2024, 4, 10, 9, tzinfo=UTC)
HEADERS = frozenset({"content-type"})
POISON = "a text that stops it"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "x.db") if request.param == "sqlite" else ""


@dataclass
class Desk:
    """A practice that takes in what is delivered, at a time that it is told."""

    store: Store
    channels: dict[str, Any] = field(default_factory=live_channels)
    now: int = int(START.timestamp() * 1000)

    def __post_init__(self) -> None:
        self.taking = Taking(
            *(self.store, DEFAULT_PROJECT, self.channels, channel_labels()),
            clock=lambda: self.now,
        )

    async def prepare(self) -> None:
        rows = [
            {"kind": "patient", "id": "ana", "family": "Prado", "phone": "+12075550111"},
        ]
        await import_people(self.store, DEFAULT_PROJECT, rows)
        await keep_account(self.store, DEFAULT_PROJECT, ACCOUNT)

    async def deliver(self, *texts: str) -> None:
        for number, text in enumerate(texts):
            said = {
                "MessageSid": f"SM{number:032x}",
                "SmsStatus": "received",
                "NumMedia": "0",
                "From": "+12075550111",
                "To": OFFICE.value,
                "Body": text,
            }
            kind = {"content-type": "application/x-www-form-urlencoded"}
            at = START + timedelta(minutes=number)
            body = urlencode(said).encode()
            delivery = Delivery("POST", ("http://a.example.org/",), kind, body, at)
            await keep(self.store, DEFAULT_PROJECT, ACCOUNT, delivery, HEADERS)

    async def taken(self) -> list[str]:
        """What is said in the record."""
        page = await self.store.search(DEFAULT_PROJECT, Query("Communication", count=1000))
        bodies = [decode(one.body) for one in page.matches]
        return sorted(one["payload"][0]["contentString"] for one in bodies if ids_of(one))

    async def waiting(self) -> int:
        return len(await entries(self.store, DEFAULT_PROJECT, ARRIVED))

    async def stuck(self) -> list[tuple[str, int]]:
        return [
            (one.told.reason, one.told.tries) for one in await stuck_in(self.store, DEFAULT_PROJECT)
        ]


def at_desk(url: str, work: Callable[[Desk], Any]) -> None:
    async def whole() -> None:
        store = open_store(url) if url else MemoryStore()
        desk = Desk(store)
        await desk.prepare()
        await work(desk)
        await store.close()

    asyncio.run(whole())


def failing(error: Exception) -> Callable[..., Any]:
    """The intake, which fails at one of all messages."""
    real = live.Intake.take

    async def take(self: live.Intake, items: Any) -> Any:
        items = list(items)
        if any(getattr(one, "text", "") == POISON for one in items):
            raise error
        return await real(self, items)

    return take


@pytest.mark.parametrize("error", [ValueError("about Ana"), StoreError("it is too large for it")])
def test_what_always_fails_is_put_aside_and_others_go_on(
    url: str, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(desk: Desk) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(live.Intake, "take", failing(error))
            await desk.deliver("one", POISON, "three")
            for tried in range(len(PAUSES)):
                assert await desk.taking.round() == PAUSES[tried]
                assert await desk.taken() == ["one", "three"]
                assert (await desk.waiting(), await desk.stuck()) == (1, [])
                # Before its time it is not tried.
                assert await desk.taking.round() == PAUSES[tried]
                desk.now += PAUSES[tried] * 1000
            assert await desk.taking.round() is None
            reason = f"it could not be taken in ({type(error).__name__})"
            assert (await desk.waiting(), await desk.stuck()) == (0, [(reason, len(PAUSES) + 1)])
            # What its provider delivers again comes to the same.
            (one,) = await stuck_in(desk.store, DEFAULT_PROJECT)
        await replay_delivery(desk.store, DEFAULT_PROJECT, one.id)
        assert (await desk.waiting(), await desk.stuck()) == (1, [])
        assert await desk.taking.round() is None
        assert await desk.taken() == [POISON, "one", "three"]
        with pytest.raises(NotStuck):
            await replay_delivery(desk.store, DEFAULT_PROJECT, one.id)

    at_desk(url, work)
    assert "Ana" not in caplog.text


def test_where_the_store_fails_nothing_is_put_aside(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(desk: Desk) -> None:
        await desk.deliver("one", "two")

        async def away(*_: object) -> None:
            raise StoreError("it is away")

        with monkeypatch.context() as patched:
            patched.setattr(desk.store, "commit", away)
            for _ in range(len(PAUSES) + 2):
                with pytest.raises(StoreError):
                    await desk.taking.round()
                desk.now += 1000 * max(PAUSES)
        assert (await desk.waiting(), await desk.stuck()) == (2, [])
        assert await desk.taking.round() is None
        assert await desk.taken() == ["one", "two"]

    at_desk(url, work)


def without_a_channel(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    channel = desk.channels.pop("twilio")
    monkeypatch.setattr(desk, "channels", {"twilio": channel})
    return "no channel here reads it"


def whose_parsing_raises(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    def parse(*_: object) -> None:
        raise RuntimeError("about Ana")

    whole = desk.channels["twilio"]
    desk.channels["twilio"] = replace(whole, live=replace(whole.live, parse=parse))
    monkeypatch.setattr(desk, "channels", {"twilio": whole})
    return "its channel failed to read it (RuntimeError)"


@pytest.mark.parametrize("spoil", [without_a_channel, whose_parsing_raises])
def test_what_cannot_be_read_is_put_aside_at_once(
    url: str, spoil: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(desk: Desk) -> None:
        reason = spoil(desk, monkeypatch)
        await desk.deliver("one")
        assert await desk.taking.round() is None
        assert (await desk.waiting(), await desk.stuck()) == (0, [(reason, 0)])
        assert await desk.taken() == []
        # It is mended, and it is replayed.
        mended = Desk(desk.store, desk.channels, desk.now)
        for one in await stuck_in(desk.store, DEFAULT_PROJECT):
            await replay_delivery(desk.store, DEFAULT_PROJECT, one.id)
        await mended.taking.round()
        assert await desk.taken() == ["one"]

    at_desk(url, work)


def test_an_entry_of_another_build_is_put_aside_as_it_is(url: str) -> None:
    async def work(desk: Desk) -> None:
        name = f"{DEFAULT_PROJECT}/{'0' * 64}"
        await desk.store.put_private(ARRIVED, name, b"\x91\xa3new")
        await desk.deliver("one")
        await desk.taking.round()
        assert await desk.taken() == ["one"]
        (one,) = await stuck_in(desk.store, DEFAULT_PROJECT)
        assert (one.told.reason, one.told.size) == ("it is damaged, or of a newer build", 5)
        await replay_delivery(desk.store, DEFAULT_PROJECT, one.id)
        assert await desk.store.get_private(ARRIVED, name) == b"\x91\xa3new"
        await desk.taking.round()
        await drop_delivery(desk.store, DEFAULT_PROJECT, one.id)
        assert (await desk.waiting(), await desk.stuck()) == (0, [])
        for kind in ("journal-stuck", "journal-stuck-whole"):
            assert await desk.store.list_private(kind) == {}

    at_desk(url, work)


def test_the_command_and_the_facade(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = str(tmp_path / "x.db")

    async def work(desk: Desk) -> None:
        desk.channels.pop("twilio")
        await desk.deliver("one", "two")
        await desk.taking.round()

    at_desk(url, work)
    with threadwell.open(url) as tw:
        first, second = (one.id for one in tw.stuck_deliveries())
    assert main(["deliveries", "--store", url]) == 0
    told = capsys.readouterr().out
    assert first in told
    assert "no channel here reads it" in told
    assert main(["deliveries", "--drop", first, "--store", url]) == 0
    assert first not in capsys.readouterr().out
    assert main(["deliveries", "--replay", first, "--store", url]) == 1
    assert f"no delivery {first} is stuck" in capsys.readouterr().err
    assert main(["deliveries", "--replay", "all", "--store", url]) == 0
    to_be_taken = "To be taken in: 1, the oldest of Apr 10, 2024, 9:01 AM (UTC).\n"
    assert capsys.readouterr().out == f"{to_be_taken}No delivery is stuck.\n"
    with threadwell.open(url) as tw:
        with pytest.raises(LookupError):
            tw.drop_delivery(second)
        assert tw.stuck_deliveries() == []

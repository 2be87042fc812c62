"""Sessions are finished by the processes that serve a store, whichever of them is left."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

import stem
from threadwell.app import open_store
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.intake import Settings, import_messages, import_people, parse_options
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, Store

from .conftest import wait_until

OFFICE = Address(AddressKind.PHONE, "+12125550100")
SETTINGS = Settings(owner=(OFFICE,), policy="inactivity-gap", options=parse_options(gap="1m"))
PATIENTS = 6
#: Seconds until the first session is over, and from one to the next.
FIRST, NEXT = 3, 1.0


def phone(n: int) -> str:
    return f"+1212555{200 + n:04}"


async def fill(store: Store) -> None:
    """Sessions that are all open, and over one after the other."""
    rows = [
        {"kind": "patient", "id": f"p{n}", "family": "x", "phone": phone(n)}
        for n in range(PATIENTS)
    ]
    await import_people(store, DEFAULT_PROJECT, rows)
    choices = Choices(policy="inactivity-gap", gap="1m", zone="UTC")
    await keep_choices(store, DEFAULT_PROJECT, choices)
    over = datetime.now(UTC) + timedelta(seconds=FIRST)
    messages = [
        Message(
            *("sms", f"m{n}", Address(AddressKind.PHONE, phone(n)), (OFFICE,)),
            *(over + timedelta(seconds=NEXT * n) - timedelta(minutes=1), "hello", "hello"),
            phone(n),
            medium="SMSWRIT",
        )
        for n in range(PATIENTS)
    ]
    await import_messages(Seat(store, DEFAULT_PROJECT, SETTINGS), messages)


async def versions(store: Store) -> list[list[str]]:
    """The statuses that each session has had."""
    page = await store.search(DEFAULT_PROJECT, Query("Encounter", count=100))
    out = []
    for one in page.matches:
        every, _ = await store.history(DEFAULT_PROJECT, "Encounter", one.id, 10, 0)
        out.append([str(decode(version.body)["status"]) for version in reversed(every)])
    return out


def ask(url: str) -> list[list[str]]:
    async def asked() -> list[list[str]]:
        store = open_store(url)
        try:
            return await versions(store)
        finally:
            await store.close()
            # Those who serve share the machine with this one.
            await asyncio.sleep(0.3)

    return asyncio.run(asked())


@pytest.fixture
def serving(store_url: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Two servers on a store with open sessions."""

    async def prepare() -> None:
        store = open_store(store_url)
        await fill(store)
        await store.close()

    asyncio.run(prepare())
    command = [sys.executable, "-m", "threadwell", "serve", "--store", store_url, "--port", "0"]
    running = [stem.start(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)
            if process.stdout:
                process.stdout.close()


def test_each_is_finished_once_whoever_is_left(
    store_url: str, serving: list[subprocess.Popen[str]]
) -> None:
    # Until then sessions may be over for long: two servers take their time to start.
    wait_until(lambda: any(one[-1] == "finished" for one in ask(store_url)), 180)
    # One server is gone without a word, with its duties where it had them.
    serving[0].send_signal(signal.SIGKILL)
    wait_until(lambda: all(one[-1] == "finished" for one in ask(store_url)), 180)
    assert ask(store_url) == [["in-progress", "finished"]] * PATIENTS

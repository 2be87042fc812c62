"""Where the servers of a store are, as they have noted it."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import msgspec
import pytest

from threadwell.inbox.whereabouts import note_address, noted_address
from threadwell.stores.memory import MemoryStore


def _kept(store: MemoryStore, machine: str, process: int, url: str, since: int) -> None:
    value = {"url": url, "machine": machine, "process": process, "since": since}
    name = f"{machine} {process}"
    asyncio.run(store.put_private("server", name, msgspec.json.encode(value)))


@pytest.fixture
def ended() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_the_server_that_was_started_last_is_the_one() -> None:
    store = MemoryStore()
    assert asyncio.run(noted_address(store)) == ""
    _kept(store, "elsewhere", 7, "https://old.example.org/", 1)
    assert asyncio.run(noted_address(store)) == "https://old.example.org/"
    asyncio.run(note_address(store, "http://127.0.0.1:9000/", lambda: 2))
    assert asyncio.run(noted_address(store)) == "http://127.0.0.1:9000/"


def test_a_process_that_has_ended_serves_no_more(
    ended: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "here")
    store = MemoryStore()
    _kept(store, "here", ended, "http://127.0.0.1:1/", 9)
    assert asyncio.run(noted_address(store)) == ""
    asyncio.run(note_address(store, "http://127.0.0.1:2/", lambda: 3))
    assert asyncio.run(noted_address(store)) == "http://127.0.0.1:2/"
    assert len(asyncio.run(store.list_private("server"))) == 1


def test_notes_of_machines_that_come_and_go_do_not_pile_up() -> None:
    store = MemoryStore()
    for at in range(50):
        _kept(store, f"container{at}", 1, "http://x/", at)
    asyncio.run(note_address(store, "http://y/", lambda: 100))
    assert len(asyncio.run(store.list_private("server"))) == 21
    assert asyncio.run(noted_address(store)) == "http://y/"

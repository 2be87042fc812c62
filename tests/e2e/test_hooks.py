"""A server as a process notes from when on hooks are told, whoever does its duties later."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import stem
from threadwell.app import open_store
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.subscriptions.hook_states import LOOKED

SERVE = [sys.executable, "-m", "threadwell", "serve", "--no-duties", "--port", "0", "--store"]


def test_a_new_server_notes_where_it_stands_before_it_answers(tmp_path: Path) -> None:
    store = str(tmp_path / "x.db")
    assert noted(store) is None
    with stem.start([*SERVE, store], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        while "Ctrl-C" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert noted(store) == b"0"


def noted(url: str) -> bytes | None:
    """Where the store's hooks were looked at last."""

    async def read() -> bytes | None:
        store = open_store(url)
        try:
            return await store.get_private(LOOKED, DEFAULT_PROJECT)
        finally:
            await store.close()

    return asyncio.run(read())

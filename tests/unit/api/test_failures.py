"""What the log tells of a store that goes on failing: little, and enough."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from threadwell.api.load import failures
from threadwell.api.load.failures import Failures
from threadwell.stores.contract import StoreError, StoreFull
from threadwell.stores.memory import MemoryStore


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[list[tuple[int, str]]]:
    """The lines so far, to be emptied by who has read them."""
    caplog.set_level(logging.INFO, "threadwell.api.load.failures")
    lines: list[tuple[int, str]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append((record.levelno, record.getMessage()))

    logger, keep = logging.getLogger("threadwell.api.load.failures"), Keep()
    logger.addHandler(keep)
    yield lines
    logger.removeHandler(keep)


def test_what_repeats_is_told_once_then_counted_then_over(told: list[tuple[int, str]]) -> None:
    async def run() -> None:
        some = Failures()
        for number in range(500):
            some.add(StoreFull("no space"), f"id-{number}", "create")
        some.add(StoreError("no way"), "id-500", "read")
        assert told == [
            (logging.ERROR, "request id-0 (create) failed: no space"),
            (logging.ERROR, "request id-500 (read) failed: no way"),
        ]
        told.clear()
        some.tell()
        assert told == [
            (logging.ERROR, "499 more failed: no space"),
            (logging.INFO, "no request failed for 10 s, after 1 that did: no way"),
        ]
        told.clear()
        some.add(StoreFull("no space"), "id-501", "create")
        assert not told
        some.tell()
        some.tell()
        some.tell()
        assert told == [
            (logging.ERROR, "1 more failed: no space"),
            (logging.INFO, "no request failed for 10 s, after 501 that did: no space"),
        ]
        told.clear()
        some.add(StoreFull("no space"), "id-502", "create")
        some.add(StoreFull("no space"), "id-503", "create")
        assert told == [(logging.ERROR, "request id-502 (create) failed: no space")]
        some.close()
        assert told[1:] == [(logging.ERROR, "1 more failed: no space")]

    asyncio.run(run())


def test_what_is_always_another_does_not_flood_either(told: list[tuple[int, str]]) -> None:
    async def run() -> None:
        some = Failures()
        for number in range(1000):
            some.add(StoreError(f"sector {number} is gone"), f"id-{number}", "read")
        assert len(told) == 21
        told.clear()
        some.tell()
        assert (logging.ERROR, "979 more failed: other failures") in told
        some.close()

    asyncio.run(run())


def test_the_server_tells_by_itself_that_it_is_over(
    new_api, told: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "INTERVAL", 0.02)

    class Full(MemoryStore):
        async def commit(self, *_: Any) -> None:
            raise StoreFull("no space")

    api = new_api(store=Full())
    statuses = {api.call("POST", "Patient", {"resourceType": "Patient"}).status_code}

    async def until_over() -> None:
        while not any("no request failed" in line for _, line in told):
            await asyncio.sleep(0.01)

    api.run(asyncio.wait_for(until_over(), 30))
    assert statuses == {507}
    assert told[0][1].endswith("(create) failed: no space")
    assert told[-1] == (logging.INFO, "no request failed for 0.02 s, after 1 that did: no space")

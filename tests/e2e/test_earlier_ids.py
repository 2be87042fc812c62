"""A store that an earlier build wrote: what it has is known, by whatever id it has it."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.app import open_store
from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write

EARLIER = Path(__file__).parent / "earlier"
FILES = EARLIER / "files"
ZONE = "America/New_York"


@pytest.fixture
def earlier_store(new_store: Callable[[], str]) -> str:
    """The URL of such a store, which says nothing of ids in what it keeps of its settings."""
    url = new_store()
    asyncio.run(_write(url, json.loads((EARLIER / "store.json").read_text())))
    return url


async def _write(url: str, resources: list[dict[str, Any]]) -> None:
    store = open_store(url)
    try:
        writes = []
        for one in resources:
            data = one.pop("data", None)
            content = base64.b64decode(data) if data is not None else None
            resource, body = stamp(one, one["id"], new_id(1), 1)
            version = resource["meta"]["versionId"]
            type_, id_ = one["resourceType"], one["id"]
            writes.append(Write(type_, id_, version, 1, resource, body, content=content))
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))
        await store.put_private("setting", "care-zone", ZONE.encode())
        await store.put_private("session-choices", DEFAULT_PROJECT, b'{"policy":"per-day"}')
    finally:
        await store.close()


def take(url: str, *paths: Path, zone: str = ZONE) -> threadwell.Report:
    with threadwell.open(url) as tw:
        return tw.import_messages(paths, people=EARLIER / "people.csv", zone=zone)


def counted(report: threadwell.Report) -> tuple[int, int, int]:
    counts = report.counts
    assert counts.read == counts.new + counts.known + counts.quarantined
    return counts.new, counts.known, counts.quarantined


def messages(url: str) -> dict[str, str]:
    """The texts of messages that count, by id."""
    with threadwell.open(url) as tw:
        every = tw.search_all("Communication", {"part-of:missing": "false", "_count": "100"})
        return {
            one["id"]: one["payload"][0].get("contentString", "")
            for one in every
            if one["status"] != "entered-in-error"
        }


def test_nothing_is_there_twice(earlier_store: str) -> None:
    before = messages(earlier_store)
    assert len(before) == 16
    assert counted(take(earlier_store, FILES)) == (0, 16, 1)
    assert messages(earlier_store) == before
    again = take(earlier_store, FILES)
    assert counted(again) == (0, 16, 1)
    assert (again.completed, again.superseded) == (0, 0)
    with threadwell.open(earlier_store) as tw:
        assert tw.verify() == []
        assert len(tw.quarantine()) == 1


def test_in_parts_and_backwards(earlier_store: str) -> None:
    before = messages(earlier_store)
    files = [path for path in sorted(FILES.iterdir()) if path.suffix not in (".jpg",)]
    for path in reversed(files):
        if path.name != "note.txt":
            assert counted(take(earlier_store, path))[0] == 0
    assert messages(earlier_store) == before


def test_what_was_held_has_its_place_once_its_sender_is_known(
    earlier_store: str, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    known = (EARLIER / "people.csv").read_text()
    people.write_text(f"{known}patient,nora,Quill,Nora,+1 212-555-0177,,\n")
    for _ in range(2):
        with threadwell.open(earlier_store) as tw:
            report = tw.import_messages(FILES, people=people, zone=ZONE)
            assert report.counts.quarantined == 0
            assert tw.quarantine() == []
    assert sorted(messages(earlier_store).values()).count("hello from nobody") == 1


def test_what_earlier_builds_took_for_one_message_is_several(
    earlier_store: str, tmp_path: Path
) -> None:
    twin = tmp_path / "to_ben.eml"
    twin.write_text(
        (FILES / "to_ana.eml").read_text().replace("ana@example.org", "ben@example.org")
    )
    before = messages(earlier_store)
    assert counted(take(earlier_store, twin, FILES)) == (1, 16, 1)
    assert counted(take(earlier_store, FILES, twin)) == (0, 17, 1)
    assert sorted(messages(earlier_store).values()) == sorted([*before.values(), "Please call us."])


def test_an_export_of_another_name_is_known(earlier_store: str, tmp_path: Path) -> None:
    copy = tmp_path / "WhatsApp Chat with Ana Prado - Copy.txt"
    shutil.copy(FILES / "WhatsApp Chat with Ana Prado.txt", copy)
    assert counted(take(earlier_store, copy)) == (0, 7, 0)


def test_a_new_store_asks_for_no_earlier_ids(new_store: Callable[[], str]) -> None:
    url = new_store()
    take(url, FILES)

    async def kept() -> bytes | None:
        store = open_store(url)
        try:
            return await store.get_private("session-choices", DEFAULT_PROJECT)
        finally:
            await store.close()

    written = asyncio.run(kept())
    assert written is not None
    assert json.loads(written)["earlier_ids"] is False

"""An SMS backup imported into SQLite, against the raw XML parser over the same file.

python -m bench importing                        20,000 messages of 300 patients
python -m bench importing --messages 100000
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from xml.parsers import expat

import apsw

from threadwell.app import channels
from threadwell.channels import ReadOptions, read_path
from threadwell.intake import Settings, import_messages, import_people, parse_options
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Broken, Message
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore
from threadwell.stores.sqlite import SqliteStore

_PATIENTS = 300
_PRACTICE = Address(AddressKind.PHONE, "+12075550100")
#: 2024-01-01T00:00:00Z in milliseconds.
_START = 1_704_067_200_000
_TEXT = (
    "Good morning, the new dose agrees with me and I slept well. Could you send the plan for"
    " next week, and shall I come in before the holidays or is a call enough?"
)


def main(arguments: list[str]) -> None:
    """Print messages per second of each stage, and the ratio to the raw parser."""
    parser = argparse.ArgumentParser(prog="bench importing")
    parser.add_argument("--messages", type=int, default=20_000)
    count = parser.parse_args(arguments).messages
    with tempfile.TemporaryDirectory() as folder:
        backup = Path(folder) / "sms.xml"
        write_backup(backup, count, _PATIENTS, _phone)
        raw = _timed(lambda: _raw(backup))
        _print("raw expat, every attribute looked at", count, raw, raw)
        read = _timed(lambda: sum(1 for _ in _messages(backup)))
        _print("channel: messages, numbers parsed", count, read, raw)
        memory = _timed(lambda: asyncio.run(_into_memory(backup)))
        _print("imported into the memory store", count, memory, raw)
        sqlite, resources = _into_sqlite(backup, Path(folder) / "threadwell.db")
        _print("imported into SQLite, durable", count, sqlite, raw)
        print(f"{resources / count:.2f} resources a message")


def _print(what: str, count: int, taken: float, raw: float) -> None:
    print(f"{what:<40} {count / taken:>10,.0f} messages/s   {taken / raw:>6.1f}× raw")


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def write_backup(path: Path, count: int, patients: int, phone: Callable[[int], str]) -> None:
    """Write a backup of so many messages of patients, in the order of no patient."""
    random = Random(7)
    with path.open("w", encoding="utf-8") as out:
        out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<smses count="{count}">\n')
        at = [_START + random.randrange(86_400_000) for _ in range(patients)]
        for number in range(count):
            patient = random.randrange(patients)
            # Five messages or so make a day of writing; then some days go by.
            at[patient] += random.randrange(60_000, 1_800_000)
            if random.random() < 0.2:
                at[patient] += random.randrange(1, 9) * 86_400_000
            out.write(
                f'  <sms protocol="0" address="{phone(patient)}" date="{at[patient]}"'
                f' type="{1 + number % 2}" subject="null" body="{number}: {_TEXT}" read="1"'
                ' status="-1" locked="0" contact_name="(Unknown)" />\n'
            )
        out.write("</smses>\n")


def _phone(patient: int) -> str:
    return f"+1207{5_550_200 + patient}"


def _raw(path: Path) -> None:
    looked_at = 0

    def element(_: str, attributes: dict[str, str]) -> None:
        nonlocal looked_at
        looked_at += len(attributes)

    parser = expat.ParserCreate()
    parser.StartElementHandler = element
    with path.open("rb") as file:
        parser.ParseFile(file)


def _messages(path: Path) -> Iterator[Message | Broken]:
    options = ReadOptions(zone=_settings().options.zone, owner=(_PRACTICE,), country="US")
    return read_path(path, channel=None, options=options, channels=channels())


def _settings() -> Settings:
    return Settings(options=parse_options(zone="America/New_York"), owner=(_PRACTICE,))


def _people() -> list[dict[str, str]]:
    rows = [{"kind": "organization", "id": "practice", "family": "Bench", "phone": _PRACTICE.value}]
    rows += [
        {"kind": "patient", "id": f"p{n}", "family": f"Family{n}", "phone": _phone(n)}
        for n in range(_PATIENTS)
    ]
    return rows


async def _into_memory(backup: Path) -> None:
    store = MemoryStore()
    await import_people(store, DEFAULT_PROJECT, _people())
    report = await import_messages(Seat(store, DEFAULT_PROJECT, _settings()), _messages(backup))
    assert report.counts.quarantined == 0


def _into_sqlite(backup: Path, path: Path) -> tuple[float, int]:
    async def run() -> float:
        store = SqliteStore.open(path)
        await import_people(store, DEFAULT_PROJECT, _people())
        start = time.perf_counter()
        report = await import_messages(Seat(store, DEFAULT_PROJECT, _settings()), _messages(backup))
        taken = time.perf_counter() - start
        assert report.counts.quarantined == 0
        await store.close()
        return taken

    taken = asyncio.run(run())
    (resources,) = apsw.Connection(str(path)).execute("SELECT count(*) FROM resource").fetchone()
    return taken, int(resources)

"""``threadwell same``: held messages that came by two ways, told one by one or all."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.app import open_store
from threadwell.cli import main
from threadwell.intake import Report, Settings, import_messages
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")
ANA = Address(AddressKind.PHONE, "+12075550111")


def messages() -> list[Message]:
    sent = datetime(2024, 3, 12, 8, tzinfo=UTC)
    one = Message("sms_backup", "1", ANA, (OFFICE,), sent, "Hi", "Hi", medium="SMSWRIT")
    own = [one, replace(one, external_id="2", sent=sent + timedelta(hours=1), text="Bye")]
    again = [replace(each, channel="twilio", external_id=f"SM{each.external_id}") for each in own]
    return [*own, *again]


async def take(path: str) -> Report:
    store = open_store(path)
    try:
        settings = Settings(owner=(OFFICE,))
        return await import_messages(Seat(store, DEFAULT_PROJECT, settings), messages())
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("options", "told", "waiting"),
    [
        (["--all"], {"placed": 2, "waiting": 0}, 0),
        (["--all", "--another"], {"placed": 2, "waiting": 0}, 0),
        (["TASK"], {"placed": 1, "waiting": 0}, 1),
    ],
)
def test_it_is_told(
    tmp_path: Path, capsys: Any, options: list[str], told: dict[str, int], waiting: int
) -> None:
    store = str(tmp_path / "practice.db")
    with threadwell.open(store) as tw:
        telecom = [{"system": "phone", "value": ANA.value}]
        tw.create_resource({"resourceType": "Patient", "telecom": telecom})
    assert asyncio.run(take(store)).reasons == {"suspected-duplicate": 2}
    with threadwell.open(store) as tw:
        task = tw.quarantine()[0].task
    named = [task if one == "TASK" else one for one in options]
    assert main(["same", *named, "--store", store, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == told
    with threadwell.open(store) as tw:
        assert len(tw.quarantine()) == waiting
        assert tw.verify() == []
    assert asyncio.run(take(store)).counts.known == 4 - waiting


@pytest.mark.parametrize(
    ("argv", "code"), [([], 1), (["--all", "x"], 1), (["Task/none"], 1), (["--all"], 0)]
)
def test_what_cannot_be_told_is_a_sentence(tmp_path: Path, argv: list[str], code: int) -> None:
    store = str(tmp_path / "practice.db")
    threadwell.open(store).close()
    assert main(["same", *argv, "--store", store]) == code

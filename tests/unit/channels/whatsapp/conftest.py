"""Reads what a test writes down as an export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels import ReadOptions
from threadwell.channels.whatsapp import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message

CLINIC = Address(AddressKind.OTHER, "whatsapp:Clinic", "Clinic")
LRM = "\u200e"

Read = Callable[..., list[Message | Broken]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(
        text: str,
        name: str = "WhatsApp Chat with Ana Prado.txt",
        zone: str = "UTC",
        country: str = "US",
        owner: tuple[Address, ...] = (CLINIC,),
    ) -> list[Message | Broken]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
        return list(CHANNEL.read(path, ReadOptions(ZoneInfo(zone), owner, country)))

    return read


def messages(items: list[Message | Broken]) -> list[Message]:
    assert not [item for item in items if isinstance(item, Broken)]
    return [item for item in items if isinstance(item, Message)]


def held(items: list[Message | Broken]) -> list[str]:
    """What of the export is set aside, as it is written there."""
    return [item.content.decode() for item in items if isinstance(item, Broken)]


def said(items: list[Message | Broken]) -> list[str]:
    """Who wrote what."""
    return [f"{one.sender.display}: {one.text}" for one in items if isinstance(one, Message)]

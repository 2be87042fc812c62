"""What is spooled is read back as it was, whatever is in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadwell.backfill.records import decode, encode
from threadwell.backfill.spool import Spool
from threadwell.messages import Address, AddressKind, Attachment, Broken, Message

AT = datetime(2024, 5, 13, 15, 4, 5, 678901, tzinfo=UTC)
ONE = Message(
    "table",
    "m1",
    Address(AddressKind.PHONE, "+12075550111", "Ana"),
    (Address(AddressKind.OTHER, "portal:7"),),
    AT,
    "Naïve — ☂",
    "Naïve",
)
OLD = datetime(1900, 1, 1, tzinfo=ZoneInfo("Europe/Amsterdam"))


@pytest.mark.parametrize(
    "item",
    [
        ONE,
        replace(ONE, sent=AT.astimezone(timezone(timedelta(hours=-4)))),
        replace(ONE, wall=AT.replace(tzinfo=None), received=AT, edited=AT),
        replace(ONE, sent=OLD),
        replace(ONE, external_id="half \ud83d"),
        replace(
            ONE, attachments=(Attachment("x.bin", "a/b", b"\x00\xff"), Attachment("y", "", None))
        ),
        replace(ONE, ours=(ONE.sender,), references=("a", "b"), taken_back=True),
        Broken("email", "x.mbox, message 3", "not readable", b"\xff\x00"),
        Broken("", "half \udcff", "not readable", b"", set_aside=True),
    ],
)
def test_it_is_read_back_as_it_was(item):
    found = decode(encode(item))
    assert found == item
    if isinstance(item, Message):
        assert found.sent.utcoffset() == item.sent.utcoffset()


def test_a_disk_without_room_is_named():
    spool = Spool(Path("/dev/full"), 1)
    spool.add(1, 2, 3, encode(ONE))
    with pytest.raises(OSError, match=r"No space left .*/dev/full"):
        spool.close()

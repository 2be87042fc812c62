"""Whatever is in a file, reading it ends, and nothing that was sound is lost."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import quoteattr
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.channels import Channel, ReadOptions
from threadwell.channels.localtime import to_instant
from threadwell.channels.sms_backup import CHANNEL as SMS
from threadwell.channels.table import CHANNEL as TABLE
from threadwell.channels.twilio import CHANNEL as TWILIO
from threadwell.channels.whatsapp import CHANNEL as WHATSAPP
from threadwell.messages import Broken, Message

START = datetime(2024, 1, 1, tzinfo=UTC)
texts = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Zs"]), min_size=1
)
words = st.lists(texts, min_size=1, max_size=4).map(" ".join).filter(lambda text: text != "null")
minutes = st.integers(0, 500_000)
zones = st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


@contextmanager
def file(content: str | bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        yield path


def read(channel: Channel, content: str | bytes, zone: str = "UTC") -> list[Message | Broken]:
    with file(content) as path:
        return list(channel.read(path, ReadOptions(ZoneInfo(zone))))


def sms(text: str, minute: int, kind: int = 1, millis: int = 0) -> str:
    date = int((START + timedelta(minutes=minute)).timestamp() * 1000) + millis
    return f'<sms address="+15551230111" date="{date}" type="{kind}" body={quoteattr(text)}/>\n'


def backup(elements: list[str]) -> str:
    return "<?xml version='1.0'?>\n<smses>\n" + "".join(elements) + "</smses>\n"


@given(st.lists(st.tuples(words, minutes), max_size=8))
def test_a_backup_gives_every_text_and_time(rows: list[tuple[str, int]]) -> None:
    items = read(SMS, backup([sms(*row) for row in rows]))
    assert [
        (item.text, item.sent - START) if isinstance(item, Message) else item for item in items
    ] == [(text, timedelta(minutes=minute)) for text, minute in rows]


@given(st.lists(st.tuples(words, minutes), min_size=1, max_size=6), st.data())
def test_a_torn_backup_keeps_every_message_before_the_tear(
    rows: list[tuple[str, int]], data: st.DataObject
) -> None:
    whole = backup([sms(*row) for row in rows]).encode()
    torn = whole[: data.draw(st.integers(whole.index(b"<smses>") + 7, len(whole)))]
    expected = [item for item in read(SMS, whole) if isinstance(item, Message)]
    found = [item for item in read(SMS, torn) if isinstance(item, Message)]
    complete = torn.count(b"/>\n")
    assert found[:complete] == expected[:complete]
    assert len(found) <= complete + 1


@given(st.lists(st.tuples(words, minutes), max_size=6), st.randoms())
def test_the_order_of_a_backup_does_not_change_its_messages(
    rows: list[tuple[str, int]], random: object
) -> None:
    # To the millisecond: what stands twice then is one message in two backups of one file.
    elements = [sms(*row, millis=7) for row in rows]
    shuffled = elements.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ids = {item.external_id for item in read(SMS, backup(elements)) if isinstance(item, Message)}
    again = read(SMS, backup(shuffled + shuffled[:2]))
    assert {item.external_id for item in again if isinstance(item, Message)} == ids


@given(st.lists(st.tuples(words, minutes), min_size=1, max_size=8), st.integers(1, 8))
def test_a_part_of_a_chat_has_the_ids_of_the_whole(rows: list[tuple[str, int]], count: int) -> None:
    rows.sort(key=lambda row: row[1])
    lines = [
        f"{START + timedelta(minutes=at):%Y-%m-%d, %H:%M} - Ana: {text}\n" for text, at in rows
    ]
    whole = [item for item in read(WHATSAPP, "".join(lines)) if isinstance(item, Message)]
    part = [item for item in read(WHATSAPP, "".join(lines[:count])) if isinstance(item, Message)]
    ids = [item.external_id for item in whole]
    assert len(set(ids)) == len(ids)
    assert [item.external_id for item in part] == ids[: len(part)]


@given(st.lists(minutes, min_size=1, max_size=20), zones)
def test_a_chat_in_order_stays_in_order(at: list[int], zone: str) -> None:
    moments = [START + timedelta(minutes=minute) for minute in sorted(at)]
    local = [moment.astimezone(ZoneInfo(zone)) for moment in moments]
    text = "".join(f"[{one:%Y-%m-%d %H:%M:%S}] Ana: {n}\n" for n, one in enumerate(local))
    items = [item for item in read(WHATSAPP, text, zone) if isinstance(item, Message)]
    assert len(items) == len(moments)
    assert [item.sent for item in items] == sorted(item.sent for item in items)
    assert all(
        item.sent == moment or item.notes for item, moment in zip(items, moments, strict=True)
    )


@given(st.lists(st.tuples(words, words, minutes), min_size=1, max_size=6))
def test_both_forms_of_a_table_give_the_same(rows: list[tuple[str, str, int]]) -> None:
    dicts = [
        {"sent": (START + timedelta(minutes=at)).isoformat(), "from": f"x:{name}", "text": text}
        for name, text, at in rows
    ]
    written = io.StringIO()
    writer = csv.DictWriter(written, dicts[0])
    writer.writeheader()
    writer.writerows(dicts)
    lines = "".join(json.dumps(row) + "\n" for row in dicts)
    items = read(TABLE, lines)
    assert items == read(TABLE, written.getvalue())
    assert [item.text for item in items if isinstance(item, Message)] == [row[1] for row in rows]


def log(*texts: str) -> str:
    made = {"from": "+12075550111", "to": "+12075550100", "direction": "inbound"}
    return "".join(
        json.dumps({"sid": f"SM{n:032x}", "date_sent": "2024-05-01T10:00:00Z", "body": text} | made)
        + "\n"
        for n, text in enumerate(texts)
    )


@given(st.sampled_from([SMS, WHATSAPP, TABLE, TWILIO]), st.binary(max_size=400), st.data())
def test_no_bytes_stop_a_channel(channel: Channel, noise: bytes, data: st.DataObject) -> None:
    sound = {
        "sms_backup": backup([sms("first", 1), sms("second", 2)]),
        "whatsapp": "2024-05-01, 10:00 - Ana: first\n2024-05-01, 10:01 - Ana: second\n",
        "table": "sent,from,text\n2024-05-01T10:00Z,a,first\n2024-05-01T10:01Z,a,second\n",
        "twilio": log("first", "second"),
    }[channel.name].encode()
    at = data.draw(st.integers(0, len(sound)))
    for item in read(channel, sound[:at] + noise + sound[at:]):
        assert isinstance(item, Message | Broken)
    assert channel.sniff(noise, Path("file")) in (True, False)


@given(
    st.datetimes(START.replace(year=1990, tzinfo=None), START.replace(year=2037, tzinfo=None)),
    zones,
)
def test_an_instant_shows_the_wall_clock_it_came_from(wall: datetime, zone: str) -> None:
    instant = to_instant(wall, ZoneInfo(zone))
    shown = instant.time.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert shown == wall or (instant.note and timedelta() < shown - wall <= timedelta(hours=1))


@pytest.mark.parametrize(
    "long",
    [
        "a " * 50_000,
        " " * 100_000,
        "\u200e" * 100_000,
        "<" * 100_000,
        "a\u2022 " * 30_000,
        "<!-- -->" * 10_000,
        "&#55357;" * 10_000,
        '"' * 100_001,
        "1/" * 50_000,
    ],
    ids=lambda text: repr(text[:8]),
)
@pytest.mark.parametrize(
    "channel", [SMS, WHATSAPP, TABLE, TWILIO], ids=lambda channel: channel.name
)
def test_a_long_line_is_read_as_any_other(channel: Channel, long: str) -> None:
    content = {
        "sms_backup": backup([sms(long, 1), f'<sms address="{long}" />', sms("last", 2)]) + long,
        "whatsapp": f"2024-05-01, 10:00 - Ana: {long}x\n{long}\n2024-05-01, 10:01 - {long}\n",
        "table": f"sent,from,text\n2024-05-01T10:00Z,{long},{long}\n{long}\n",
        "twilio": log("first", long, "last") + long,
    }[channel.name]
    # What takes work beyond its length does not come to an end here.
    items = read(channel, content)
    assert items
    assert all(isinstance(item, Message | Broken) for item in items)

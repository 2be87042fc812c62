"""Exports of SMS Import / Export in, messages out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from threadwell.channels import ReadOptions, read_path
from threadwell.channels.sms_ie import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message

CLINIC = Address(AddressKind.PHONE, "+12075550100")
ANA, BEN, OWN = "+12075550111", "+12075550122", "+12075550100"
NOON_MS, NOON_S = "1772452800123", "1772452800"  # 2026-03-02T12:00Z
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

Read = Callable[..., list[Message | Broken]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(
        *records: dict[str, Any] | str,
        owner: tuple[Address, ...] = (CLINIC,),
        old: bool = False,
        files: dict[str, bytes] | None = None,
    ) -> list[Message | Broken]:
        path = tmp_path / "messages.ndjson"
        texts = [one if isinstance(one, str) else json.dumps(one) for one in records]
        path.write_text("[\n" + ",\n".join(texts) + "\n]" if old else "\n".join([*texts, ""]))
        for name, content in (files or {}).items():
            (tmp_path / "data").mkdir(exist_ok=True)
            (tmp_path / "data" / name).write_bytes(content)
        return list(CHANNEL.messages(path, ReadOptions(None, owner)))

    return read


def sms(body: str = "Hello", **columns: Any) -> dict[str, Any]:
    return {
        "_id": "7", "thread_id": "3", "address": ANA, "date": NOON_MS, "date_sent": "0",
        "read": "1", "type": "1", "body": body, "sub_id": "1", "creator": "an.app",
        "phones_own_column": "x",
    } | columns  # fmt: skip


def address(number: str, type_: str = "151", name: str = "") -> dict[str, str]:
    return {"address": number, "type": type_, "charset": "106"} | (
        {"__display_name": name} if name else {}
    )


def mms(
    *parts: dict[str, str], sender: str = ANA, to: tuple[str, ...] = (OWN,), **columns: Any
) -> dict[str, Any]:
    return {
        "_id": "9", "thread_id": "3", "date": NOON_S, "date_sent": NOON_S, "msg_box": "1",
        "m_type": "132", "m_id": "an.id", "sub_id": "1",
        "__sender_address": address(sender, "137"),
        "__recipient_addresses": [address(one) for one in to],
        "__parts": list(parts),
    } | columns  # fmt: skip


def text(words: str) -> dict[str, str]:
    return {"seq": "0", "ct": "text/plain", "chset": "106", "text": words}


def picture(name: str = "PART_1_knee.jpg") -> dict[str, str]:
    return {"seq": "1", "ct": "image/jpeg", "cl": "knee.jpg", "_data": f"/data/app_parts/{name}"}


def sound(items: list[Message | Broken]) -> list[Message]:
    out = [item for item in items if isinstance(item, Message)]
    assert len(out) == len(items), [item for item in items if isinstance(item, Broken)]
    return out


def test_sms_in_milliseconds(read: Read) -> None:
    got, sent = sound(
        read(
            sms("I feel better", __display_name="Ana Prado", date_sent="1772452799000"),
            sms("Good", type="2", date="1772452801000", status="64"),
        )
    )
    assert got.sender == Address(AddressKind.PHONE, ANA, "Ana Prado")
    assert (got.recipients, got.thread_hint, got.text) == ((CLINIC,), ANA, "I feel better")
    assert got.received == NOON.replace(microsecond=123_000)
    assert got.sent == datetime(2026, 3, 2, 11, 59, 59, tzinfo=UTC)
    assert (sent.sender, [one.value for one in sent.recipients]) == (CLINIC, [ANA])
    assert (got.medium, sent.medium, sent.received) == ("SMSWRIT", "SMSWRIT", None)
    assert sent.notes == ("the network reported that it was not delivered",)


def test_an_mms_in_seconds_with_its_files(read: Read) -> None:
    layout = {"seq": "-1", "ct": "application/smil", "text": '<smil><img src="knee.jpg"/></smil>'}
    (one,) = sound(read(mms(layout, text("my knee"), picture(), sub="CafÃ©", sub_cs="106"),
                        files={"PART_1_knee.jpg": b"jpeg"}))  # fmt: skip
    assert (one.sent, one.received, one.medium) == (NOON, NOON, "MMSWRIT")
    assert (one.text, one.subject) == ("my knee", "Café")
    (file,) = one.attachments
    assert (file.filename, file.content_type, file.content) == ("knee.jpg", "image/jpeg", b"jpeg")


@pytest.mark.parametrize(
    "part", [picture(), picture("../../messages.ndjson"), picture(".."), picture("a\0b")]
)
def test_a_file_that_is_not_in_the_export(read: Read, part: dict[str, str]) -> None:
    (one,) = sound(read(mms(text("my knee"), part)))
    assert one.attachments[0].content is None
    assert one.notes == ("a file of it is not in the backup",)


def test_a_text_that_lies_in_a_file(read: Read) -> None:
    part = {"seq": "0", "ct": "text/plain", "chset": "106", "_data": "/x/PART_9"}
    (one,) = sound(read(mms(part), files={"PART_9": "schönes Knie".encode()}))
    assert (one.text, one.attachments) == ("schönes Knie", ())


@pytest.mark.parametrize(
    ("record", "reason", "set_aside"),
    [
        (sms(type="3"), "draft", True),
        (sms(type="4"), "outbox", True),
        (sms(type="5"), "could not be sent", True),
        (sms(type="6"), "waiting to be sent", True),
        (mms(msg_box="3"), "draft", True),
        (mms(m_type="130"), "never fetched", True),
        (mms(m_type="134"), "report about an MMS", True),
        (sms(type="9"), "kind that is not known", False),
        (sms(date="soon"), "no usable date", False),
        (sms(""), "empty", False),
        (mms(), "empty", False),
        (sms(address="-1"), "nobody is named", False),
        (sms(address=OWN), "nobody is named", False),
        (sms(address=f"{ANA};{BEN}"), "none is named as its sender", False),
        (mms(text("x"), sender=""), "nobody is named", False),
        (mms(text("x"), sender="", to=(OWN, ANA, BEN)), "none is named as its sender", False),
        (mms(text("x"), sender=OWN), "phone's own number", False),
        ('{"_id": "7", "thread_id":', "damaged or breaks off", False),
        ("[1, 2]", "damaged or breaks off", False),
    ],
)
def test_what_is_no_message_is_kept_with_the_reason(
    read: Read, record: dict[str, Any] | str, reason: str, set_aside: bool
) -> None:
    before, broken, after = read(sms("before"), record, sms("after"))
    assert isinstance(before, Message)
    assert isinstance(after, Message)
    assert isinstance(broken, Broken)
    assert reason in broken.reason
    assert broken.set_aside == set_aside
    assert broken.source == "messages.ndjson, record 2"
    content = record if isinstance(record, str) else json.dumps(record)
    assert broken.content.strip() == content.encode()


GROUP = mms(text("hi all"), to=(OWN, BEN), _id="1")
SENT = mms(text("hi"), sender=OWN, to=(ANA,), msg_box="2", m_type="128")
OTHER = Address(AddressKind.PHONE, "+12075550190")


@pytest.mark.parametrize(
    ("records", "owner", "own", "others"),
    [
        pytest.param([GROUP], (CLINIC,), OWN, [BEN], id="told"),
        pytest.param([GROUP, SENT], (), OWN, [BEN], id="it sent"),
        pytest.param(
            [GROUP, mms(text("x"), sender=BEN, to=(OWN, ANA))], (), OWN, [BEN], id="all came to it"
        ),
        pytest.param(
            [mms(text("x"), to=(OWN,)), mms(text("y"), to=(OWN,))], (), OWN, [], id="one by one"
        ),
        pytest.param([GROUP, SENT], (OTHER,), OWN, [BEN], id="told another"),
        pytest.param([mms(text("x"), to=(BEN,))], (CLINIC,), OWN, [BEN], id="left out"),
        pytest.param(
            [mms(text("x"), to=("insert-address-token", BEN))], (CLINIC,), OWN, [BEN], id="token"
        ),
        pytest.param([GROUP], (), "sms_ie:owner", [OWN, BEN], id="nothing tells"),
    ],
)
def test_whose_phone_it_is(
    read: Read,
    records: list[dict[str, Any]],
    owner: tuple[Address, ...],
    own: str,
    others: list[str],
) -> None:
    first = sound(read(*records, owner=owner))[0]
    assert first.sender.value == ANA
    assert [one.value for one in first.recipients] == [own, *others]
    assert first.thread_hint == ",".join(sorted([ANA, *others]))
    learned = any(one["msg_box"] == "2" for one in records) or (not owner and ":" not in own)
    assert [one.value for one in first.ours] == ([own] if learned else [])


@pytest.mark.parametrize(
    ("owner", "own"),
    [
        ((), ["+12075550100", "+12075550190", "sms_ie:owner"]),
        ((OTHER,), ["+12075550190"] * 3),
        ((CLINIC, OTHER), ["+12075550100", "+12075550190", "+12075550100"]),
    ],
)
def test_an_sms_is_of_the_card_that_it_came_to(
    read: Read, owner: tuple[Address, ...], own: list[str]
) -> None:
    second = mms(text("hi"), sender=OTHER.value, to=(BEN,), msg_box="2", sub_id="2", m_id="b")
    items = sound(
        read(sms(sub_id="1"), sms(sub_id="2"), sms(sub_id="-1"), SENT, second, owner=owner)
    )
    assert [one.recipients[0].value for one in items[:3]] == own


def test_an_export_of_a_version_before_2(read: Read) -> None:
    old = mms(text("my knee"))
    names = ("__sender_address", "__recipient_addresses", "__parts")
    old = {key.removeprefix("__"): value for key, value in old.items()}
    assert not set(names) & set(old)
    old["parts"].append(
        {"ct": "image/jpeg", "name": "k.jpg", "binary_data": base64.b64encode(b"jpeg").decode()}
    )
    short = sms('Hello [all] {here} "you"', display_name="Ana")
    first, second = sound(read(short, json.dumps(old, indent=2), old=True))
    assert (first.text, first.sender.display) == ('Hello [all] {here} "you"', "Ana")
    assert (second.text, second.attachments[0].content) == ("my knee", b"jpeg")
    now = sound(read(sms('Hello [all] {here} "you"'), mms(text("my knee"))))
    assert [one.external_id for one in now] == [first.external_id, second.external_id]


def test_an_array_that_breaks_off(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps([sms("one"), sms("two")], indent=2)[:-40])
    first, second = CHANNEL.read(path, ReadOptions(None, (CLINIC,)))
    assert isinstance(first, Message)
    assert isinstance(second, Broken)
    assert b"two" in second.content


Change = Callable[[dict[str, Any]], dict[str, Any]]
CHANGES: dict[str, Change] = {
    "another phone": lambda one: one | {"_id": "99", "thread_id": "77", "sub_id": "-1"},
    "read": lambda one: one | {"read": "0", "seen": "1"},
    "a name": lambda one: one | {"__display_name": "Ana Prado"},
    "no country code": lambda one: json.loads(json.dumps(one).replace("+1207555", "207-555-")),
    "no files": lambda one: {
        key: [part for part in value if "_data" not in part] if key == "__parts" else value
        for key, value in one.items()
    },
    "numbers that are no texts": lambda one: one | {"date": int(one["date"])},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_message_has_the_same_id(read: Read, change: Change) -> None:
    records = [sms(), sms("Bye", type="2"), mms(text("my knee"), picture()), SENT]
    before = [one.external_id for one in sound(read(*records))]
    assert len(set(before)) == 4
    assert [one.external_id for one in sound(read(*map(change, records)))] == before


def test_a_restored_phone_has_each_message_twice_and_we_once(read: Read) -> None:
    records = [sms(), mms(text("my knee"))]
    found = [one.external_id for one in sound(read(*records, *records))]
    assert len(set(found)) == 2


@pytest.mark.parametrize(
    "second",
    [
        sms(date="1772452800124"),
        sms("Hallo"),
        sms(address=BEN),
        sms(type="2"),
        mms(text("Hello")),
    ],
)
def test_another_message_has_another_id(read: Read, second: dict[str, Any]) -> None:
    found = {one.external_id for one in sound(read(sms(), second))}
    assert len(found) == 2


def test_the_network_tells_two_pictures_of_one_second_apart(read: Read) -> None:
    by_transaction = [
        {key: value for key, value in mms(picture(), tr_id=f"T{n}").items() if key != "m_id"}
        for n in range(2)
    ]
    items = sound(read(mms(picture()), mms(picture(), m_id="other"), *by_transaction))
    assert len({one.external_id for one in items}) == 4


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (json.dumps(sms()), True),
        (json.dumps(mms(text("x"))), True),
        (json.dumps([sms()], indent=2), True),
        ("\ufeff" + json.dumps(sms()), True),
        (json.dumps(mms(text("x" * 20_000))), True),
        (json.dumps([{"number": ANA, "date": NOON_MS, "duration": "3", "type": "1"}]), False),
        ('{"sent": "2026-03-02", "from": "a", "text": "b"}', False),
        ('{"messageCount": 1, "messages": []}', False),
        ("thread_id,date,address,type,body\n", False),
    ],
)
def test_a_file_is_known_by_its_columns(head: str, known: bool) -> None:
    assert CHANNEL.sniff(head.encode()[:16_384], Path("any")) is known


def test_an_encrypted_export_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "messages.zip").write_bytes(b"SSEF\x00\xff\x00\x01" + bytes(range(256)))
    (broken,) = read_path(tmp_path, options=ReadOptions(None), channels=(CHANNEL,))
    assert isinstance(broken, Broken)
    assert "passphrase" in broken.reason


def test_an_archive_as_the_app_writes_it(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "messages-2026-03-02.zip", "w") as archive:
        lines = [json.dumps(one) for one in (sms(), mms(text("my knee"), picture()))]
        archive.writestr("messages.ndjson", "\n".join([*lines, ""]))
        archive.writestr("data/PART_1_knee.jpg", b"jpeg")
        archive.writestr("data/PART_2_nobody.jpg", b"left")
    items = list(read_path(tmp_path, options=ReadOptions(None, (CLINIC,)), channels=(CHANNEL,)))
    assert [one.text for one in items if isinstance(one, Message)] == ["Hello", "my knee"]
    (unnamed,) = [one for one in items if isinstance(one, Broken)]
    assert unnamed.source.endswith("PART_2_nobody.jpg")


def test_halves_of_characters_are_replaced_with_a_note(read: Read) -> None:
    (one,) = sound(read(json.dumps(sms("tired X")).replace("X", "\\ud83d")))
    assert one.text == "tired \ufffd"
    assert "damaged" in one.notes[0]

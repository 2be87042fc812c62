"""A database of messages in, messages out."""

from __future__ import annotations

import hashlib
import plistlib
import shutil
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from threadwell.channels import ReadOptions, read_path
from threadwell.channels.imessage import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message
from threadwell.messages.wordings import original_of

from .conftest import ANA, BEN, NANOSECONDS, NOON, OWN, SECONDS, Phone, sound, typedstream

CLINIC = Address(AddressKind.PHONE, "+12075550190")


def values(addresses: tuple[Address, ...]) -> list[str]:
    return [one.value for one in addresses]


def test_both_sides_of_a_chat(phone: Phone) -> None:
    phone.add("My knee hurts")
    phone.add("Since when?", is_from_me=1, handle_id=0)
    phone.add("Since Sunday", service="SMS")
    got, sent, short = sound(phone.read())
    assert (got.sender.value, values(got.recipients)) == (ANA, [OWN])
    assert (got.external_id, got.thread_hint, got.text) == ("G1", ANA, "My knee hurts")
    assert got.sent == NOON + timedelta(seconds=1)
    assert (sent.sender.value, values(sent.recipients), sent.thread_hint) == (OWN, [ANA], ANA)
    assert [one.medium for one in (got, sent, short)] == ["APPWRIT", "APPWRIT", "SMSWRIT"]
    assert got.notes == sent.notes == ()
    assert values(got.ours) == [OWN]


@pytest.mark.parametrize(
    ("date", "sent"),
    [
        (NANOSECONDS + 123_456_789, NOON + timedelta(microseconds=123_456)),
        (SECONDS, NOON),
        (-1, NOON - timedelta(seconds=SECONDS + 1)),
        (0, None),
        (None, None),
        (9e999, None),
        ("soon", None),
    ],
)
def test_times_in_nanoseconds_and_in_seconds(phone: Phone, date: Any, sent: Any) -> None:
    phone.add(date=date)
    (one,) = phone.read()
    if sent is None:
        assert isinstance(one, Broken)
        assert one.reason == "no usable date"
    else:
        assert isinstance(one, Message)
        assert one.sent == sent


BODIES = {
    "short": "Knie tut weh \U0001f600",
    "of one byte's length": "a" * 127,
    "longer": "b" * 128,
    "of two bytes' length": "ä" * 10_000,
    "of four bytes' length": "c" * 40_000,
}


@pytest.mark.parametrize("mutable", [False, True])
@pytest.mark.parametrize("text", BODIES.values(), ids=BODIES)
def test_a_text_that_is_in_the_attributed_body(phone: Phone, text: str, mutable: bool) -> None:
    phone.add(None, attributedBody=typedstream(text, mutable=mutable))
    assert [one.text for one in sound(phone.read())] == [text]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x04\x0bstreamtyped",
        b"bplist00 of another kind",
        typedstream("Hello")[:60],
        typedstream("Hello", end=b"")[:-1],
        typedstream("Hello").replace(b"NSString", b"NSStrinx"),
    ],
)
def test_a_body_that_cannot_be_read(phone: Phone, body: bytes) -> None:
    phone.add(None, attributedBody=body)
    phone.add("plain words", attributedBody=body)
    first, second = phone.read()
    assert isinstance(first, Broken)
    assert first.reason == (
        "empty" if not body else "its words are kept in a form that could not be read"
    )
    assert body.hex().encode() in first.content
    assert isinstance(second, Message)
    assert second.text == "plain words"


@pytest.mark.parametrize(
    ("row", "own", "said"),
    [
        ({"destination_caller_id": "ana.clinic@example.com"}, "ana.clinic@example.com", True),
        ({"destination_caller_id": None, "account": "P:+12075550155"}, "+12075550155", True),
        ({"destination_caller_id": "", "account": "e:desk@example.com"}, "desk@example.com", True),
        ({"destination_caller_id": None, "account": "E:"}, CLINIC.value, False),
    ],
)
def test_whose_phone_it_is(phone: Phone, row: dict[str, Any], own: str, said: bool) -> None:
    phone.add(**row)
    (one,) = sound(phone.read((CLINIC,)))
    assert values(one.recipients) == [own]
    assert values(one.ours) == ([own] if said else [])


def test_whose_phone_it_is_where_the_chat_knows_and_where_nothing_does(phone: Phone) -> None:
    phone.run("UPDATE chat SET last_addressed_handle = ? WHERE ROWID = 2", OWN)
    phone.add(destination_caller_id=None, chat=2)
    phone.add(destination_caller_id=None, chat=1)
    first, second = sound(phone.read())
    assert first.recipients[0].value == OWN
    assert second.recipients[0].value == "imessage:owner"


def test_a_group(phone: Phone) -> None:
    phone.add("Hi all", chat=2, handle_id=2)
    phone.add("Hello", chat=2, handle_id=0, is_from_me=1)
    phone.add("Who am I?", chat=2, handle_id=0)
    *said, nameless = phone.read()
    got, sent = sound(said)
    assert (got.sender.value, values(got.recipients)) == (BEN, [OWN, ANA])
    assert (sent.sender.value, values(sent.recipients)) == (OWN, [ANA, BEN])
    assert {got.thread_hint, sent.thread_hint} == {"6F3A"}
    assert isinstance(nameless, Broken)
    assert nameless.reason == "nobody is named as its sender"


def test_who_came_to_a_group_later_did_not_get_what_came_before(phone: Phone) -> None:
    phone.run("INSERT INTO chat_handle_join VALUES (2, 3)")
    phone.add("first", chat=2)
    phone.add(None, chat=2, item_type=1, group_action_type=0, other_handle=3)
    phone.add("second", chat=2)
    phone.add(None, chat=2, item_type=3, group_action_type=0, handle_id=4)
    phone.add("third", chat=2)
    first, second, third = sound(phone.read())
    assert values(first.recipients) == [OWN, BEN, "24365"]
    assert values(second.recipients) == [OWN, BEN, "ana@example.org", "24365"]
    assert values(third.recipients) == [OWN, BEN, "ana@example.org"]


@pytest.mark.parametrize(
    ("row", "other"),
    [
        ({"chat": None}, ANA),
        ({"chat": None, "is_from_me": 1, "handle_id": 2}, BEN),
        ({"is_from_me": 1, "handle_id": 1}, ANA),
        ({"handle_id": 0}, ANA),
        ({"handle_id": 3}, "ana@example.org"),
        ({"chat": None, "handle_id": 4}, "24365"),
        ({"chat": None, "handle_id": 5}, "imessage:urn:biz:0ff1ce"),
        ({"chat": None, "handle_id": 0}, None),
        ({"chat": None, "handle_id": 99, "is_from_me": 1}, None),
        ({"chat": 99, "handle_id": 0}, None),
    ],
)
def test_who_is_at_the_other_end(phone: Phone, row: dict[str, Any], other: str | None) -> None:
    phone.add(**row)
    (one,) = phone.read()
    if other is None:
        assert isinstance(one, Broken)
        assert "nobody is named" in one.reason
    else:
        assert isinstance(one, Message)
        mine = row.get("is_from_me")
        assert (one.recipients[0] if mine else one.sender).value == other


def test_a_message_that_is_in_two_chats_is_one(phone: Phone) -> None:
    number = phone.add(handle_id=2, chat=1)
    phone.run("INSERT INTO chat_message_join VALUES (2, ?)", number)
    (one,) = sound(phone.read())
    assert (one.sender.value, one.thread_hint) == (BEN, "6F3A")


@pytest.mark.parametrize(
    ("row", "reason", "set_aside"),
    [
        ({"associated_message_type": 2000}, "a reaction to a message", True),
        ({"associated_message_type": 3006}, "a reaction to a message", True),
        ({"associated_message_type": 1000}, "a sticker on a message", True),
        ({"associated_message_type": 4000}, "a vote in a poll", True),
        ({"is_spam": 1}, "spam", True),
        ({"is_from_me": 1, "error": 22, "is_sent": 0}, "could not be sent", True),
        ({"item_type": 9}, "of a kind that is not known", True),
        ({"guid": None}, "no id", False),
        ({"text": None}, "empty", False),
        ({"text": "\ufffc"}, "empty", False),
    ],
)
def test_what_is_no_message_is_kept_with_the_reason(
    phone: Phone, row: dict[str, Any], reason: str, set_aside: bool
) -> None:
    phone.add("before")
    phone.add(**row)
    phone.add("after")
    before, broken, after = phone.read()
    assert isinstance(before, Message)
    assert isinstance(after, Message)
    assert isinstance(broken, Broken)
    assert reason in broken.reason
    assert (broken.set_aside, broken.source) == (set_aside, "chat.db, message 2")
    assert b'"ROWID": 2' in broken.content


def test_what_the_system_notes_is_left_out(phone: Phone) -> None:
    for item in range(1, 7):
        phone.add(None, item_type=item, chat=2)
    assert phone.read() == []


RETRACTED = plistlib.dumps({"rp": [0], "otr": {}}, fmt=plistlib.FMT_BINARY)


@pytest.mark.parametrize(
    ("row", "text", "note"),
    [
        ({"date_edited": 9, "text": "take 5 mg"}, "take 5 mg", "edited by its sender"),
        (
            {"date_edited": 9, "text": None, "message_summary_info": RETRACTED},
            "",
            "unsent by its sender",
        ),
        ({"deleted": True, "text": "x"}, "x", "among what the phone had deleted"),
        ({"text": "\ufffd", "balloon_bundle_id": "com.example.app"}, "", "of an app"),
        ({"text": "a \ufffd b"}, "a \ufffd b", ""),
    ],
)
def test_notes(phone: Phone, row: dict[str, Any], text: str, note: str) -> None:
    phone.add(**row)
    (one,) = sound(phone.read())
    assert one.text == text
    assert bool(one.notes) == bool(note)
    assert not note or note in " ".join(one.notes)


def summary(*wordings: tuple[str, float]) -> bytes:
    parts = {"0": [{"d": since, "t": typedstream(text)} for text, since in wordings]}
    return plistlib.dumps({"ec": parts}, fmt=plistlib.FMT_BINARY)


def test_every_wording_is_a_message(phone: Phone) -> None:
    past = summary(("at 5", SECONDS), ("at 6", SECONDS + 60), ("at 7", SECONDS + 90))
    phone.add("at 5")
    phone.add(
        "at 7",
        guid="G1",
        date=NANOSECONDS + 10**9,
        date_edited=NANOSECONDS + 90 * 10**9,
        message_summary_info=past,
    )
    before, *rest = sound(phone.read())
    assert rest[0] == replace(before, notes=rest[0].notes)
    assert [(one.text, one.edited and one.edited - NOON) for one in rest] == [
        ("at 5", None),
        ("at 6", timedelta(seconds=60)),
        ("at 7", timedelta(seconds=90)),
    ]
    assert {one.sent for one in rest} == {before.sent}
    assert {original_of(one.external_id) for one in rest} == {"G1"}
    assert len({one.external_id for one in rest}) == 3


@pytest.mark.parametrize(
    "past",
    [
        b"",
        plistlib.dumps({"ec": []}, fmt=plistlib.FMT_BINARY),
        plistlib.dumps({"ec": {"0": 1}}, fmt=plistlib.FMT_BINARY),
        plistlib.dumps({"ec": {"0": [1, {"d": "x", "t": b""}]}}, fmt=plistlib.FMT_BINARY),
        plistlib.dumps({"ec": {"0": [{"d": -1.0, "t": b"x"}]}}, fmt=plistlib.FMT_BINARY),
    ],
)
def test_a_past_that_cannot_be_read_leaves_the_last_wording(phone: Phone, past: bytes) -> None:
    phone.add("at 7", date_edited=9, message_summary_info=past)
    (one,) = sound(phone.read())
    assert (one.text, one.edited) == ("at 7", one.sent + timedelta(microseconds=1))


def test_what_is_left_of_an_unsent_message_is_taken_back(phone: Phone) -> None:
    phone.add(None, date_edited=9, message_summary_info=RETRACTED)
    (gone,) = sound(phone.read())
    assert (gone.taken_back, original_of(gone.external_id)) == (True, "G1")
    assert gone.external_id != "G1"


def test_an_unsent_message_whose_summary_is_damaged_is_held(phone: Phone) -> None:
    phone.add(None, date_edited=9, message_summary_info=b"bplist00\xff\xff")
    (broken,) = phone.read()
    assert isinstance(broken, Broken)
    assert broken.reason == "empty"


def test_an_answer_names_what_it_answers(phone: Phone) -> None:
    phone.add("Monday or Tuesday?")
    phone.add("Tuesday", thread_originator_guid="G1")
    assert [one.in_reply_to for one in sound(phone.read())] == ["", "G1"]


@pytest.mark.parametrize(
    ("filename", "on_disk"),
    [
        ("~/Library/Messages/Attachments/ab/11/G/knee.heic", "Attachments/ab/11/G/knee.heic"),
        ("/var/mobile/Library/SMS/Attachments/ab/knee.heic", "Attachments/ab/knee.heic"),
        ("~/Library/SMS/Attachments/ab/knee.heic", "BACKUP"),
        ("~/Library/Messages/Attachments/ab/knee.heic", ""),
        ("~/Library/Messages/Attachments/../knee.heic", "knee.heic"),
        ("/etc/knee.heic", "knee.heic"),
    ],
)
def test_where_files_are(tmp_path: Path, filename: str, on_disk: str) -> None:
    folder = tmp_path / "3d"
    folder.mkdir()
    phone = Phone(folder / "sms.db")
    phone.attach(phone.add("\ufffcmy knee"), filename, mime_type="image/heic")
    if on_disk == "BACKUP":
        name = hashlib.sha1(b"MediaDomain-Library/SMS/Attachments/ab/knee.heic").hexdigest()
        place = tmp_path / name[:2] / name
    else:
        place = folder / (on_disk or "elsewhere")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"heic")
    (one,) = sound(phone.read())
    (file,) = one.attachments
    assert (one.text, file.filename, file.content_type) == ("my knee", "knee.heic", "image/heic")
    is_there = on_disk not in ("", "knee.heic")
    assert file.content == (b"heic" if is_there else None)
    assert one.notes == (() if is_there else ("a file of it is not beside the export",))


def test_previews_of_links_are_no_files(phone: Phone) -> None:
    number = phone.add("https://clinic.example.com")
    phone.attach(number, "~/Library/Messages/Attachments/a/b.pluginPayloadAttachment")
    phone.attach(number, "~/Library/Messages/Attachments/a/c.png", hide_attachment=1)
    (one,) = sound(phone.read())
    assert one.attachments == ()


def test_the_newest_messages_are_in_the_log(phone: Phone, tmp_path: Path) -> None:
    phone.add("old")
    phone.database.commit()
    phone.database.execute("PRAGMA journal_mode = WAL")
    phone.database.execute("PRAGMA wal_autocheckpoint = 0")
    phone.add("new")
    phone.database.commit()
    copy = tmp_path / "copied"
    copy.mkdir()
    for name in ("chat.db", "chat.db-wal", "chat.db-shm"):
        shutil.copy(phone.path.with_name(name), copy / name)
    before = sorted((path.name, path.read_bytes()) for path in copy.iterdir())
    items = list(read_path(copy, options=ReadOptions(None), channels=(CHANNEL,)))
    assert [one.text for one in sound(items)] == ["old", "new"]
    assert sorted((path.name, path.read_bytes()) for path in copy.iterdir()) == before


def test_a_database_that_is_in_its_log_alone(tmp_path: Path) -> None:
    live = sqlite3.connect(tmp_path / "live.db")
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("PRAGMA wal_autocheckpoint = 0")
    for table in ("message", "handle", "chat", "chat_message_join"):
        live.execute(f"CREATE TABLE {table} (x)")
    live.commit()
    copy = tmp_path / "copy.db"
    shutil.copy(tmp_path / "live.db", copy)
    shutil.copy(tmp_path / "live.db-wal", tmp_path / "copy.db-wal")
    assert CHANNEL.sniff(copy.read_bytes()[:16_384], copy)
    live.close()


def test_a_database_of_an_older_system(phone: Phone) -> None:
    phone.add("Hello", date=SECONDS)
    newer = (
        *("attributedBody", "destination_caller_id", "associated_message_type", "date_edited"),
        *("associated_message_guid", "message_summary_info", "thread_originator_guid"),
        *("balloon_bundle_id", "is_spam", "other_handle", "group_action_type"),
    )
    for column in newer:
        phone.run(f"ALTER TABLE message DROP COLUMN {column}")
    phone.run("DROP TABLE chat_recoverable_message_join")
    phone.run("ALTER TABLE chat DROP COLUMN group_id")
    phone.run("ALTER TABLE attachment DROP COLUMN hide_attachment")
    (one,) = sound(phone.read((CLINIC,)))
    assert (one.sender.value, values(one.recipients), one.sent) == (ANA, [CLINIC.value], NOON)


def test_a_damaged_database_says_so(phone: Phone) -> None:
    for number in range(400):
        phone.add(f"message {number} " * 20)
    phone.read()
    raw = bytearray(phone.path.read_bytes())
    raw[40_960 : 40_960 + 30_000] = b"\xff" * 30_000
    phone.path.write_bytes(raw)
    items = phone.read()
    assert any(isinstance(one, Message) for one in items) or len(items) == 1
    assert isinstance(items[-1], Broken)
    assert "damaged" in items[-1].reason


def test_a_schema_that_is_no_text_is_no_end_of_an_import(phone: Phone) -> None:
    phone.add()
    phone.read()
    raw = phone.path.read_bytes().replace(b"CREATE TABLE handle", b"CREATE TBALE handle")
    raw = raw.replace(b"tablehandlehandle", b"tablehandl\x94handle")
    phone.path.write_bytes(raw)
    assert not CHANNEL.sniff(raw[:16_384], phone.path)
    (broken,) = CHANNEL.read(phone.path, ReadOptions(None))
    assert isinstance(broken, Broken)
    assert "damaged" in broken.reason
    assert list(CHANNEL.companions(phone.path)) == []


def test_what_a_strangers_schema_calls_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE handle (id TEXT); CREATE TABLE chat (guid TEXT);"
        "CREATE TABLE chat_message_join (chat_id, message_id);"
        "CREATE VIEW message AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT i AS ROWID, i AS guid FROM n;"
    )
    database.close()
    assert not CHANNEL.sniff(path.read_bytes()[:16_384], path)


def test_a_database_is_known_by_its_tables(phone: Phone, tmp_path: Path) -> None:
    phone.add()
    phone.read()
    other = tmp_path / "other.db"
    sqlite3.connect(other).executescript("CREATE TABLE message (x);")
    head = phone.path.read_bytes()[:16_384]
    renamed = tmp_path / "whatever.bin"
    shutil.copy(phone.path, renamed)
    assert CHANNEL.sniff(head, renamed)
    assert not CHANNEL.sniff(other.read_bytes()[:16_384], other)
    assert not CHANNEL.sniff(b"hello", phone.path)
    assert CHANNEL.sniff(b"SQLite format 3\0" + bytes(100), Path("Messages/chat.db"))
    assert not CHANNEL.sniff(b"SQLite format 3\0" + bytes(100), Path("things.db"))


def test_a_folder_in_an_archive(phone: Phone, tmp_path: Path) -> None:
    phone.attach(phone.add("\ufffc"), "~/Library/Messages/Attachments/a/knee.jpg")
    phone.read()
    with ZipFile(tmp_path / "Messages.zip", "w") as archive:
        archive.write(phone.path, "Messages/chat.db")
        archive.writestr("Messages/Attachments/a/knee.jpg", b"jpeg")
        archive.writestr("Messages/Attachments/a/orphan.jpg", b"jpeg")
    options = ReadOptions(None)
    items = list(read_path(tmp_path / "Messages.zip", options=options, channels=(CHANNEL,)))
    (one,) = [item for item in items if isinstance(item, Message)]
    assert one.attachments[0].content == b"jpeg"
    (orphan,) = [item for item in items if isinstance(item, Broken)]
    assert orphan.source == "Messages.zip: orphan.jpg"


def test_an_encrypted_backup_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "3d0d7e5fb2ce288813306e4d4636395e047a3d28").write_bytes(b"\x8f\x12" * 500)
    (broken,) = read_path(tmp_path, options=ReadOptions(None), channels=(CHANNEL,))
    assert isinstance(broken, Broken)
    assert "password" in broken.reason

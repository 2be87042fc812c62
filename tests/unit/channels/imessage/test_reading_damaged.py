"""Files, logs, older systems and damage in a database of messages."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.unit.channels.imessage.chats import CLINIC, values
from threadwell.channels import ReadOptions, read_path
from threadwell.channels.imessage import CHANNEL
from threadwell.messages import Broken, Message

from .conftest import ANA, NOON, SECONDS, Phone, sound


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

"""Files, folders and archives: which channel reads what, and what is left out."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels import Channel, ReadOptions, UnknownChannel, read_path, reading
from threadwell.channels.links import LEADS_NOWHERE, LEADS_OUT
from threadwell.channels.sms_backup import CHANNEL as SMS
from threadwell.channels.table import CHANNEL as TABLE
from threadwell.channels.whatsapp import CHANNEL as WHATSAPP
from threadwell.messages import Broken, Message
from threadwell.stores.sqlite import SqliteStore

OPTIONS = ReadOptions(ZoneInfo("America/New_York"))
CHANNELS = (SMS, WHATSAPP, TABLE)
XML = '<smses><sms address="+15551230111" date="1714564800000" type="1" body="sms"/></smses>'
CHAT = "5/13/24, 10:00 - Ana: \u200eIMG-1.jpg (file attached)\nchat\n"
CSV = "sent,from,text\n2024-05-13 15:04,a,table\n"
UNKNOWN = "not a format that Threadwell reads"


def read(path: Path, channel: str | None = None) -> list[Message | Broken]:
    return list(read_path(path, channel=channel, options=OPTIONS, channels=CHANNELS))


def outline(items: list[Message | Broken]) -> list[str]:
    return [item.text if isinstance(item, Message) else item.source for item in items]


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    folder = tmp_path / "practice"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "chat.txt").write_text(CHAT)
    (folder / "b" / "IMG-1.jpg").write_bytes(b"jpeg")
    (folder / "b" / "IMG-2.jpg").write_bytes(b"jpeg")
    (folder / "a.bin").write_text(CSV)
    (folder / "c.bin").write_text(XML)
    return folder


def test_every_file_goes_to_the_channel_of_its_content(practice: Path) -> None:
    items = read(practice)
    assert outline(items) == ["table", "IMG-2.jpg", "chat", "sms"]
    assert items[1] == Broken("", "IMG-2.jpg", UNKNOWN, b"jpeg")
    assert isinstance(items[2], Message)
    assert items[2].attachments[0].content == b"jpeg"


def test_messages_have_the_medium_of_their_channel_unless_they_name_another(
    practice: Path,
) -> None:
    (practice / "a.bin").write_text("sent,from,text,medium\n2024-05-13 15:04,a,b,FAXWRIT\n")
    picture = (
        '<mms address="+15551230111" date="1714564800001" msg_box="1" m_type="132">'
        '<parts><part ct="text/plain" text="mms"/></parts>'
        '<addrs><addr type="137" address="+15551230111"/></addrs></mms>'
    )
    (practice / "c.bin").write_text(XML.replace("</smses>", f"{picture}</smses>"))
    items = [item for item in read(practice) if isinstance(item, Message)]
    assert [one.medium for one in items] == ["FAXWRIT", "APPWRIT", "SMSWRIT", "MMSWRIT"]


def test_reading_again_gives_the_same(practice: Path) -> None:
    assert read(practice) == read(practice)


@pytest.mark.parametrize(
    "name",
    [
        ".hidden",
        "Thumbs.db",
        "desktop.ini",
        "README.md",
        "readme",
        "people.csv",
        "~$chat.docx",
        "__MACOSX/chat.txt",
        ".git/config",
    ],
)
def test_what_describes_an_export_is_left_out(practice: Path, name: str) -> None:
    path = practice / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("not a message")
    assert outline(read(practice)) == ["table", "IMG-2.jpg", "chat", "sms"]


def test_a_database_that_this_process_works_with_is_left_out(practice: Path) -> None:
    for name in ("store.db", "store.db-wal", "store.db-shm", "closed.db"):
        (practice / name).write_bytes(b"SQLite format 3\0")
    os.link(practice / "store.db", practice / "same.db")
    (practice / "same.db-shm").touch()
    with (practice / "store.db").open("rb"):
        assert outline(read(practice)) == ["table", "IMG-2.jpg", "chat", "sms", "closed.db"]


def test_a_database_that_was_copied_while_it_was_open_is_looked_at(practice: Path) -> None:
    for name in ("one.db", "one.db-wal", "one.db-shm", "two.db"):
        (practice / name).write_bytes(b"SQLite format 3\0")
    (practice / "two.db-wal").write_bytes(b"\x37\x7f\x06\x82 and so on")
    (practice / "notes").write_text("no database")
    (practice / "notes-wal").write_text("no log")
    found = ["table", "IMG-2.jpg", "chat", "sms", "notes", "notes-wal", "one.db", "two.db"]
    assert outline(read(practice)) == found


def test_a_file_that_is_named_is_never_left_out(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("# Read me")
    assert outline(read(path)) == ["README.md"]


def test_with_a_channel_only_that_one_reads(practice: Path) -> None:
    assert outline(read(practice, "table")) == [
        "table",
        "IMG-1.jpg",
        "IMG-2.jpg",
        "chat.txt",
        "c.bin",
    ]
    (broken,) = read(practice / "c.bin", "table")
    assert isinstance(broken, Broken)
    assert broken.reason == "header: needs the columns from, sent, text"


def test_an_unknown_channel_is_named_with_those_that_there_are(practice: Path) -> None:
    with pytest.raises(
        UnknownChannel, match=r"no channel 'fax': there are sms_backup, whatsapp, table"
    ):
        read(practice, "fax")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nothing")


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert read(tmp_path) == []


def test_a_large_unknown_file_is_only_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "KEPT_BYTES", 4)
    (tmp_path / "film.mov").write_bytes(b"12345")
    (broken,) = read(tmp_path)
    assert isinstance(broken, Broken)
    assert broken.content == b""
    assert "only its name is kept" in broken.reason


@pytest.mark.parametrize("channel", [None, "table"])
def test_what_is_no_file_is_not_opened(tmp_path: Path, channel: str | None) -> None:
    os.mkfifo(tmp_path / "a.pipe")
    (tmp_path / "b.csv").symlink_to("nowhere")
    (tmp_path / "c.csv").write_text(CSV)
    (tmp_path / "up").symlink_to(tmp_path)
    pipe = Broken("", "a.pipe", "cannot be read: it is a pipe or device, not a file", b"")
    lost = Broken("", "b.csv", LEADS_NOWHERE, b"")
    assert read(tmp_path, channel)[:2] == [pipe, lost]
    assert outline(read(tmp_path, channel)[2:]) == ["table"]
    assert read(tmp_path / "a.pipe", channel) == [pipe]


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside.csv", tmp_path / "exports"
    (folder / "below").mkdir(parents=True)
    outside.write_text(CSV)
    (folder / "inside.csv").write_text(CSV)
    (folder / "below" / "again.csv").symlink_to(folder / "inside.csv")
    (folder / "loop").symlink_to("loop")
    (folder / "out.csv").symlink_to(outside)
    (folder / "up").symlink_to(tmp_path)
    items = read(folder)
    assert outline(items) == ["table", "loop", "out.csv", "up"]
    assert [one.reason for one in items if isinstance(one, Broken)] == [
        LEADS_NOWHERE,
        LEADS_OUT,
        LEADS_OUT,
    ]
    assert outline(read(folder / "out.csv")) == ["table"], "who names a link means what it leads to"


def test_an_attachment_is_no_link_out_of_the_folder(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret.jpg", tmp_path / "exports"
    folder.mkdir()
    secret.write_bytes(b"not asked for")
    (folder / "photo.jpg").symlink_to(secret)
    (folder / "rows.jsonl").write_text(
        '{"sent": "2024-05-13T10:00:00Z", "from": "+12075550111", "attachments": "photo.jpg"}\n'
    )
    (folder / "WhatsApp Chat with Ana.txt").write_text(
        "2024-05-01, 10:00 - Ana: photo.jpg (file attached)\n2024-05-01, 10:01 - Ana: seen?\n"
    )
    items = [one for one in read(folder) if isinstance(one, Message)]
    assert len(items) == 3
    assert [file.content for one in items for file in one.attachments] == [None, None]


def test_a_name_that_is_no_text_is_shown(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"unkn\xe9wn.bin")).write_bytes(b"\x00\x01")
    (tmp_path / os.fsdecode(b"rows-\xe9.csv")).write_text(CSV)
    broken, message = sorted(read(tmp_path), key=lambda one: isinstance(one, Message))
    assert isinstance(broken, Broken)
    assert broken.source == "unkn\\xe9wn.bin"
    assert isinstance(message, Message)
    for item in (broken, message):
        repr(item).encode()


@pytest.mark.parametrize(
    "name",
    ["a" * 300 + ".csv", "é" * 200 + ".csv", "d/" * 300 + "rows.csv", "../" * 5 + "rows.csv"],
    ids=lambda name: name[:4],
)
def test_a_member_of_any_name_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in" / "rows.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, CSV)
        file.writestr("beside.csv", CSV)
    assert outline(read(path)) == ["table", "table"]
    assert [one.name for one in tmp_path.rglob("*.csv")] == []


def test_a_channel_may_read_a_folder_as_a_whole(practice: Path) -> None:
    def whole(folder: Path, _options: ReadOptions) -> Iterator[Message | Broken]:
        yield Broken("box", folder.name, "read", b"")

    box = Channel("box", "Box", "a folder", lambda head, path: not head and path.name == "b", whole)
    items = list(read_path(practice, options=OPTIONS, channels=(box, *CHANNELS)))
    assert outline(items) == ["table", "b", "sms"]


def test_a_file_that_cannot_be_read_does_not_stop_the_rest(practice: Path) -> None:
    def fail(path: Path, _options: ReadOptions) -> Iterator[Message | Broken]:
        raise PermissionError(13, "Permission denied", str(path))
        yield

    failing = Channel("fail", "Fail", "fails", lambda head, _: head.startswith(b"<smses"), fail)
    items = list(read_path(practice, options=OPTIONS, channels=(failing, WHATSAPP, TABLE)))
    assert outline(items) == ["table", "IMG-2.jpg", "chat", "c.bin"]
    assert items[-1] == Broken("", "c.bin", "cannot be read: Permission denied", b"")


@pytest.fixture
def archive(practice: Path, tmp_path: Path) -> Path:
    path = tmp_path / "WhatsApp Chat - Ana.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(practice / "b" / "chat.txt", "_chat.txt")
        file.write(practice / "b" / "IMG-1.jpg", "IMG-1.jpg")
        file.writestr("odd.bin", b"odd")
    return path


def test_an_archive_is_read_as_the_folder_it_holds(archive: Path) -> None:
    message, odd = read(archive)
    assert isinstance(message, Message)
    assert (message.text, message.thread_hint) == ("chat", "Ana")
    assert message.attachments[0].content == b"jpeg"
    assert odd == Broken("", "WhatsApp Chat - Ana.zip: odd.bin", UNKNOWN, b"odd")


def test_a_compressed_file_is_read_as_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "sms.xml.gz"
    path.write_bytes(gzip.compress(XML.encode()))
    assert outline(read(path)) == ["sms"]
    assert outline(read(path, "sms_backup")) == ["sms"]


def test_an_archive_without_messages_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "letter.docx"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("word/document.xml", "<document/>")
    assert read(tmp_path) == [Broken("", "letter.docx", UNKNOWN, path.read_bytes())]


def test_a_damaged_archive_stays_whole(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-30])
    (broken,) = read(archive)
    assert isinstance(broken, Broken)
    assert broken.content == archive.read_bytes()
    assert "cannot be opened" in broken.reason


def test_an_encrypted_archive_says_so(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            content[at + flags] |= 1
    archive.write_bytes(content)
    (broken,) = read(archive)
    assert isinstance(broken, Broken)
    assert "encrypted" in broken.reason


def tarred(files: dict[str, bytes], mode: Literal["w", "w:gz"]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:
        for name, of in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(of)
            archive.addfile(member, io.BytesIO(of))
        link = tarfile.TarInfo("linked.xml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    return content.getvalue()


@pytest.mark.parametrize(("suffix", "mode"), [(".tgz", "w:gz"), (".tar.gz", "w:gz"), (".tar", "w")])
def test_a_tar_is_read_as_the_folder_it_holds(
    tmp_path: Path, suffix: str, mode: Literal["w", "w:gz"]
) -> None:
    files = {"a/sms.xml": XML.encode(), "../../escaped.csv": CSV.encode(), "odd.bin": b"odd"}
    path = tmp_path / "in" / f"takeout{suffix}"
    path.parent.mkdir()
    path.write_bytes(tarred(files, mode))
    name = f"takeout{suffix}"
    assert sorted(outline(read(path))) == ["sms", "table", f"{name}: odd.bin"]
    assert not list(tmp_path.rglob("escaped.csv"))
    without = tarred({"odd.bin": b"odd"}, mode)
    path.write_bytes(without)
    assert read(path) == [Broken("", name, UNKNOWN, without)]


@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_a_tar_that_breaks_off_stays_whole(tmp_path: Path, mode: Literal["w", "w:gz"]) -> None:
    whole = tarred({"sms.xml": XML.encode(), "more.xml": os.urandom(50_000)}, mode)
    path = tmp_path / "takeout.tgz"
    path.write_bytes(whole[: len(whole) // 2])
    (broken,) = read(path)
    assert isinstance(broken, Broken)
    assert "cannot be opened" in broken.reason
    assert broken.content == path.read_bytes()


@pytest.mark.parametrize("suffix", [".zip", ".gz", ".tgz"])
def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr("threadwell.channels.archives._SUSPECT_BYTES", 1)
    monkeypatch.setattr("threadwell.channels.archives._SUSPECT_RATIO", 2)
    content = (XML + " " * 3_000_000).encode()
    path = tmp_path / f"sms.xml{suffix}"
    if suffix == ".gz":
        path.write_bytes(gzip.compress(content))
    elif suffix == ".tgz":
        path.write_bytes(tarred({"sms.xml": content}, "w:gz"))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("sms.xml", content)
    (broken,) = read(path)
    assert isinstance(broken, Broken)
    assert "far more" in broken.reason


def test_a_member_of_an_archive_stays_within_it(tmp_path: Path) -> None:
    path = tmp_path / "in" / "sms.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../escaped.xml", XML)
    assert outline(read(path)) == ["sms"]
    assert not list(tmp_path.rglob("escaped.xml"))


def packed(*files: tuple[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, of in files:
            with warnings.catch_warnings(action="ignore"):  # of names that come twice
                file.writestr(name, of)
    return content.getvalue()


@pytest.mark.parametrize(
    "names",
    [("a", "a/b.xml"), ("a/b.xml", "a"), ("a", "a/b/c.xml"), ("a.xml", "a.xml"), ("A", "a/b.xml")],
)
def test_members_that_no_folder_holds_side_by_side_are_all_read(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    path = tmp_path / "sms.zip"
    second = XML.replace('body="sms"', 'body="second"').encode()
    path.write_bytes(packed((names[0], XML.encode()), (names[1], second)))
    assert sorted(outline(read(path))) == ["second", "sms"]


@pytest.mark.parametrize("beside", [(), (("odd.bin", b"odd"),)])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_archives_within_archives_are_read(
    tmp_path: Path, depth: int, beside: tuple[tuple[str, bytes], ...]
) -> None:
    content = packed(("sms.xml", XML.encode()))
    for _ in range(depth - 1):
        content = packed(("inner.zip", content), *beside)
    path = tmp_path / "outer.zip"
    path.write_bytes(content)
    messages = [item.text for item in read(path) if isinstance(item, Message)]
    assert messages == ["sms"]


def test_archives_are_not_opened_for_ever(tmp_path: Path) -> None:
    content = deepest = packed(("sms.xml", XML.encode()))
    for _ in range(3):
        content = packed(("inner.zip", content), ("sms.xml", XML.encode()))
    path = tmp_path / "outer.zip"
    path.write_bytes(content)
    broken, *messages = read(path)
    assert outline(messages) == ["sms"] * 3
    assert isinstance(broken, Broken)
    assert broken.reason == "an archive within 3 others"
    assert broken.content == deepest


def test_an_archive_of_documents_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "letters.zip"
    path.write_bytes(packed(("a.docx", packed(("word/document.xml", b"<document/>")))))
    assert read(path) == [Broken("", "letters.zip", UNKNOWN, path.read_bytes())]


@pytest.mark.parametrize("length", [1024 * 1024, 1024 * 1024 + 1])
def test_a_very_long_text_is_a_file_and_its_beginning(tmp_path: Path, length: int) -> None:
    text = ("ä" * 99 + "\n") * (length // 100 + 1)
    text = text[: length - 1] + "."
    path = tmp_path / "table.jsonl"
    row = {"sent": "2024-05-13 15:04", "from": "a", "text": text}
    path.write_text(json.dumps(row) + "\n")
    (message,) = read(path)
    assert isinstance(message, Message)
    if length > 1024 * 1024:
        assert message.text == message.new_text == text[:100_000]
        (whole,) = message.attachments
        assert whole.content == text.encode()
        assert whole.filename in message.notes[-1]
    else:
        assert (message.text, message.attachments, message.notes) == (text, (), ())


def test_what_is_threadwells_own_is_left_out_with_a_word(practice: Path) -> None:
    asyncio.run(SqliteStore.open(practice / "old-practice.db").close())
    secret = '{"client_id": "b1", "client_secret": "5ec7e7"}'
    (practice / "old-practice.client.json").write_text(secret)
    (practice / "billing.json").write_text(secret)
    (practice / "other.db").write_bytes(b"SQLite format 3\0" + bytes(200))
    (practice / "other.json").write_text('{"client_secret": "x", "more": 1}')
    told: list[str] = []
    options = ReadOptions(ZoneInfo("UTC"), tell=told.append)
    items = list(read_path(practice, options=options, channels=CHANNELS))
    broken = {item.source for item in items if isinstance(item, Broken)}
    assert not any("old-practice" in source or "billing" in source for source in broken)
    assert {"other.db", "other.json"} <= broken
    assert sorted(told) == [
        "left out billing.json: it is the secret of a client",
        "left out old-practice.client.json: it is the secret of a client",
        "left out old-practice.db: it is a database of Threadwell",
    ]

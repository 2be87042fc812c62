"""Files and folders of mail."""

from __future__ import annotations

import tracemalloc
from base64 import encodebytes
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels import ReadOptions, read_path
from threadwell.channels.email import CHANNEL, read
from threadwell.channels.email.mail import NO_TEXT
from threadwell.channels.email.reader import EMPTY, UNFINISHED
from threadwell.channels.email.state import DRAFT, IN_TRASH, MARKED_DELETED, SPAM
from threadwell.channels.links import LEADS_NOWHERE
from threadwell.messages import Broken, Message

OPTIONS = ReadOptions(ZoneInfo("America/New_York"))
FROM_LINE = b"From ana@example.org Wed Apr 10 05:00:00 2024\n"


def outcome(item: Message | Broken) -> str:
    """The id of a message, the source and reason of what is none."""
    if isinstance(item, Broken):
        return f"{item.source}: {item.reason}"
    return item.external_id


def test_an_mbox_goes_on_after_a_bad_mail(tmp_path: Path, write) -> None:
    box = tmp_path / "all.mbox"
    mails = [
        write("One", Message_ID="<1@x>"),
        write("Bad", Message_ID="<2@x>", From=None),
        write("Three\nFrom here\n>From there", Message_ID="<3@x>", Date=None),
        b"X: no mail\n\n\xff\xfe\0",
    ]
    box.write_bytes(b"".join(FROM_LINE + mail + b"\n\n" for mail in mails))

    items = list(read(box, OPTIONS))

    assert list(map(outcome, items)) == [
        "1@x",
        "all.mbox, message 2: has no sender",
        "3@x",
        "all.mbox, message 4: has no sender",
    ]
    assert isinstance(items[1], Broken)
    assert items[1].content == mails[1] + b"\n"
    assert isinstance(items[2], Message)
    assert items[2].text == "Three\nFrom here\nFrom there"
    assert items[2].sent == datetime(2024, 4, 10, 9, 0, tzinfo=UTC)


def test_a_single_mail(tmp_path: Path, write) -> None:
    plain, boxed = tmp_path / "a.eml", tmp_path / "b.eml"
    plain.write_bytes(write("Hello"))
    boxed.write_bytes(FROM_LINE + write("Hello"))
    assert list(read(plain, OPTIONS)) == list(read(boxed, OPTIONS))


def test_a_maildir(tmp_path: Path, write) -> None:
    box = tmp_path / "Mail"
    for folder in ("cur", "new", "tmp", "cur/odd", ".Sent/cur", ".Sent/new", "not-mail"):
        (box / folder).mkdir(parents=True)
    files = {
        "cur/1.host:2,RS": write("Hello", Message_ID="<1@x>"),
        "cur/2.host:2,D": write("Not yet", Message_ID="<2@x>"),
        "cur/3.host;2,ST": write("Old", Message_ID="<3@x>"),
        "cur/4.host:2,": b"",
        "cur/odd/4a.host:2,": write("Deeper", Message_ID="<4a@x>"),
        "new/5.host": write("New", Message_ID="<5@x>"),
        "tmp/6.host": write("Half", Message_ID="<6@x>"),
        ".Sent/cur/7.host:2,S": write("Sent", Message_ID="<7@x>"),
        "not-mail/8": write("Elsewhere", Message_ID="<8@x>"),
        "letter.eml": write("Beside", Message_ID="<9@x>"),
        "notes.bin": b"\0",
        "cur/.hidden": b"x",
        "dovecot-uidlist": b"3 V1 N9",
        "maildirfolder": b"",
    }
    for name, content in files.items():
        (box / name).write_bytes(content)
    (box / "cur" / "9.host:2,").symlink_to("nowhere")

    items = list(read_path(box, options=OPTIONS, channels=[CHANNEL]))

    assert list(map(outcome, items)) == [
        "1@x",
        f"Mail/cur/2.host:2,D: {DRAFT}",
        "3@x",
        f"Mail/cur/4.host:2,: {EMPTY}",
        f"Mail/cur/9.host:2,: {LEADS_NOWHERE}",
        "4a@x",
        "5@x",
        f"Mail/tmp/6.host: {UNFINISHED}",
        "7@x",
        "9@x",
        "8@x",
        "notes.bin: not a format that Threadwell reads",
    ]
    assert isinstance(items[2], Message)
    assert items[2].notes == (MARKED_DELETED,)


# How other programs nest Maildirs: one mail in each, whose text is where it lies.
NESTED = {
    "plain folders (mbsync Verbatim, Dovecot fs, offlineimap)": ["Archive/2023/cur"],
    "Maildir++ (Dovecot, Courier)": ["cur", ".Archive.2023/cur", ".Archive/cur"],
    "hidden folders in each other (mbsync Legacy)": ["cur", ".Work/cur", ".Work/.Old/cur"],
    "below a hidden folder that is none": ["cur", ".Work/.Old/cur", ".local/mail/Inbox/cur"],
    "Thunderbird": ["Inbox/cur", "Inbox.sbd/Old/cur"],
    "a Maildir within a Maildir": ["cur", "Archive/cur", "Archive/2023/cur"],
}


@pytest.mark.parametrize("layout", NESTED)
@pytest.mark.parametrize("empty_folders", [True, False])
def test_maildirs_as_other_programs_nest_them(
    tmp_path: Path, write, layout: str, empty_folders: bool
) -> None:
    for number, folder in enumerate(NESTED[layout]):
        (tmp_path / folder).mkdir(parents=True)
        if empty_folders:
            (tmp_path / folder / "../new").mkdir()
            (tmp_path / folder / "../tmp").mkdir()
        mail = write(folder, Message_ID=f"<{number}@x>")
        (tmp_path / folder / f"170000000{number}.M1.host:2,S").write_bytes(mail)
        (tmp_path / folder / f"170000001{number}.M1.host:2,DS").write_bytes(mail)

    items = list(read_path(tmp_path, options=OPTIONS, channels=[CHANNEL]))

    texts = [item.text for item in items if isinstance(item, Message)]
    reasons = [item.reason for item in items if isinstance(item, Broken)]
    assert sorted(texts) == sorted(NESTED[layout])
    assert reasons == [DRAFT] * len(texts)


def test_a_folders_name_tells_what_its_mails_are(tmp_path: Path, write) -> None:
    files = {
        ".Drafts/cur/1700000001.M1.host:2,S": DRAFT,
        ".[Gmail].Spam/cur/1700000002.M1.host:2,S": SPAM,
        "Trash.mbox": IN_TRASH,
        "Drafts": DRAFT,
        "Junk/a.eml": SPAM,
    }
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        line = b"" if "/" in name else FROM_LINE
        (tmp_path / name).write_bytes(line + write("Hello"))

    for name, said in files.items():
        folder = tmp_path / name.partition("/")[0]
        (item,) = read_path(folder, options=OPTIONS, channels=[CHANNEL])
        assert said in (item.notes if isinstance(item, Message) else [item.reason]), name


@pytest.mark.parametrize(
    ("now", "noted"), [(datetime(2024, 4, 1, tzinfo=UTC), True), (None, False)]
)
def test_the_time_of_reading_decides_what_is_future(tmp_path: Path, write, now, noted) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(write())
    (message,) = read(path, OPTIONS, now=now)
    assert isinstance(message, Message)
    assert bool(message.notes) is noted


def test_a_large_attachment_arrives_whole(tmp_path: Path, write) -> None:
    content = bytes(range(256)) * 4096 * 20
    path = tmp_path / "scan.eml"
    kind = {"Content-Type": "application/dicom", "Content-Transfer-Encoding": "base64"}
    path.write_bytes(write(encodebytes(content), **kind))
    (message,) = read(path, OPTIONS)
    assert isinstance(message, Message)
    assert message.attachments[0].content == content
    assert message.notes == (NO_TEXT,)


def test_memory_does_not_grow_with_the_file(tmp_path: Path, write) -> None:
    box = tmp_path / "large.mbox"
    one = FROM_LINE + write("a line of text\n" * 1_000) + b"\n"
    with box.open("wb") as file:
        for _ in range(120):
            file.write(one)
    tracemalloc.start()
    try:
        count = sum(1 for _ in read(box, OPTIONS))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 120
    assert peak < box.stat().st_size / 4

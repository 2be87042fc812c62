"""Exports that people's phones make, from the file to the record, on both stores.

The same export again, and a later one that holds more, under other names of its files: each
message is there once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import pytest

import threadwell

PEOPLE = """\
kind,id,family,given,phone,email,chat
organization,elm,Elm Street Clinic,,+1 207-555-0100,desk@clinic.example.com,
patient,ana,Prado,Ana,+1 207-555-0111,ana@example.org,
patient,ben,Stone,Ben,+1 207-555-0122,ben@example.org,
"""


class Exports(NamedTuple):
    """Two exports of one phone, the later with more, and what is in them.

    ``write`` makes the files of one in a folder. ``texts`` are those of all messages in the end,
    ``early`` how many of them the first has, ``held`` how many of the later wait.
    """

    early: Callable[[Path], None]
    late: Callable[[Path], None]
    texts: list[str]
    first: int
    held: int = 0
    files: int = 0


def voice_page(*messages: str, labels: str = "sms") -> str:
    return (
        '<?xml version="1.0" ?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title></title>'
        f'</head><body><div class="hChatLog hfeed">{"".join(messages)}</div><div class="tags">'
        f'<a rel="tag" href="http://www.google.com/voice#{labels}">x</a></div></body></html>'
    )


def voice_message(
    minute: int, text: str, *, mine: bool = False, name: str = "", more: str = ""
) -> str:
    who = (
        '<a class="tel" href="tel:+12075550100"><abbr class="fn" title="">Me</abbr></a>'
        if mine
        else f'<a class="tel" href="tel:+12075550111"><span class="fn">{name}</span></a>'
    )
    return (
        f'<div class="message"><abbr class="dt" title="2024-03-05T10:{minute:02}:00.123-05:00">x'
        f"</abbr>: <cite>{who}</cite>: <q>{text}</q>{more}</div>"
    )


def voice(folder: Path, name: str, pages: dict[str, str], *, media: bool) -> None:
    calls = folder / "Takeout" / "Voice" / "Calls"
    calls.mkdir(parents=True)
    for minute, html in pages.items():
        (calls / f"{name} - Text - 2024-03-05T15_{minute}_00Z.html").write_text(html)
    if media:
        (calls / f"{name} - Text - 2024-03-05T15_01_00Z-1-1.jpg").write_bytes(b"knee")


def early_voice(folder: Path) -> None:
    picture = '<div><img src="+12075550111 - Text - 2024-03-05T15_01_00Z-1-1" /></div>'
    html = voice_page(
        voice_message(1, "MMS Received", more=picture), voice_message(2, "I see", mine=True)
    )
    voice(folder, "+12075550111", {"01": html}, media=False)


def late_voice(folder: Path) -> None:
    picture = '<div><img src="Ana Prado - Text - 2024-03-05T15_01_00Z-1-1" /></div>'
    first = voice_page(voice_message(1, "MMS Received", name="Ana Prado", more=picture))
    rest = voice_page(
        voice_message(2, "I see", mine=True), voice_message(9, "Thank you", name="Ana Prado")
    )
    spam = voice_page(voice_message(30, "Win a prize"), labels="spam")
    voice(folder, "Ana Prado", {"01": first, "02": rest, "30": spam}, media=True)


def sms_records(folder: Path, name: str, records: list[dict[str, Any]], *, media: bool) -> None:
    with ZipFile(folder / name, "w") as archive:
        archive.writestr("messages.ndjson", "".join(json.dumps(one) + "\n" for one in records))
        if media:
            archive.writestr("data/PART_1_knee.jpg", b"knee")


def sms(minute: int, body: str, *, type_: int = 1, **columns: str) -> dict[str, Any]:
    ms = 1_709_650_800_123 + minute * 60_000
    base = {"_id": str(minute), "thread_id": "1", "address": "+12075550111", "type": str(type_)}
    return base | {"date": str(ms), "body": body} | columns


def mms(minute: int, text: str, **columns: str) -> dict[str, Any]:
    return {
        "_id": str(minute),
        "thread_id": "1",
        "date": str(1_709_650_800 + minute * 60),
        "msg_box": "1",
        "m_type": "132",
        "m_id": f"m{minute}",
        "__sender_address": {"address": "+12075550111", "type": "137"},
        "__recipient_addresses": [{"address": "+12075550100", "type": "151"}],
        "__parts": [
            {"seq": "0", "ct": "text/plain", "text": text},
            {"seq": "1", "ct": "image/jpeg", "cl": "knee.jpg", "_data": "/x/PART_1_knee.jpg"},
        ],
    } | columns


def early_sms_ie(folder: Path) -> None:
    records = [sms(1, "Hello"), sms(2, "I see", type_=2), mms(3, "my knee")]
    sms_records(folder, "messages-2024-03-05.zip", records, media=False)


def late_sms_ie(folder: Path) -> None:
    new_phone = {"_id": "70", "thread_id": "9", "sub_id": "-1"}
    records = [
        sms(9, "Thank you"),
        sms(2, "I see", type_=2, **new_phone),
        sms(1, "Hello", __display_name="Ana Prado", **new_phone),
        sms(10, "not yet sent", type_=3),
        mms(3, "my knee", **new_phone),
    ]
    sms_records(folder, "messages.zip", records, media=True)


def chat_database(folder: Path, name: str, rows: list[dict[str, Any]], *, media: bool) -> None:
    """A copy of ``~/Library/Messages`` as it is while Messages runs: the newest is in the log."""
    with tempfile.TemporaryDirectory() as place:
        live = sqlite3.connect(Path(place) / "chat.db")
        live.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
            "CREATE TABLE message (guid, text, date, handle_id, is_from_me, destination_caller_id,"
            " associated_message_type, is_read);"
            "CREATE TABLE handle (id); CREATE TABLE chat (guid, style);"
            "CREATE TABLE chat_message_join (chat_id, message_id);"
            "CREATE TABLE chat_handle_join (chat_id, handle_id);"
            "CREATE TABLE attachment (filename, transfer_name, mime_type);"
            "CREATE TABLE message_attachment_join (message_id, attachment_id);"
            "INSERT INTO handle VALUES ('+12075550111');"
            "INSERT INTO chat VALUES ('iMessage;-;+12075550111', 45);"
            "INSERT INTO chat_handle_join VALUES (1, 1);"
            "INSERT INTO attachment VALUES ('~/Library/Messages/Attachments/a/knee.jpg',"
            " 'knee.jpg', 'image/jpeg');"
        )
        for row in rows:
            mine, kind = row.get("mine", 0), row.get("kind", 0)
            date = (731_347_200 + row["minute"] * 60) * 10**9
            number = live.execute(
                "INSERT INTO message VALUES (?, ?, ?, 1, ?, '+12075550100', ?, 0)",
                (row["guid"], row["text"], date, mine, kind),
            ).lastrowid
            live.execute("INSERT INTO chat_message_join VALUES (1, ?)", (number,))
            if row.get("file"):
                live.execute("INSERT INTO message_attachment_join VALUES (?, 1)", (number,))
        live.commit()
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(Path(place) / f"chat.db{suffix}", folder / f"{name}{suffix}")
        live.close()
    if media:
        (folder / "Attachments" / "a").mkdir(parents=True)
        (folder / "Attachments" / "a" / "knee.jpg").write_bytes(b"knee")


HELLO = {"guid": "A-1", "text": "Hello", "minute": 1}
ANSWER = {"guid": "A-2", "text": "I see", "minute": 2, "mine": 1}
KNEE = {"guid": "A-3", "text": "\ufffcmy knee", "minute": 3, "file": True}


def early_imessage(folder: Path) -> None:
    chat_database(folder, "chat.db", [HELLO, ANSWER, KNEE], media=False)


def late_imessage(folder: Path) -> None:
    thanks = {"guid": "A-4", "text": "Thank you", "minute": 9}
    liked = {"guid": "A-5", "text": "Liked “my knee”", "minute": 10, "kind": 2001, "mine": 1}
    rows = [KNEE, thanks, ANSWER, liked, HELLO]
    chat_database(folder, "3d0d7e5fb2ce288813306e4d4636395e047a3d28", rows, media=True)


def signal_export(folder: Path, first: int, items: list[dict[str, Any]], *, media: bool) -> None:
    """An export whose people and chats are numbered from ``first``: each export has its own."""
    own, ana, chat = (str(first + n) for n in range(3))
    frames: list[dict[str, Any]] = [
        {"version": "1", "backupTimeMs": "1709654400000"},
        {"account": {"givenName": "Elm"}},
        {"recipient": {"id": own, "self": {}}},
        {"recipient": {"id": ana, "contact": {"aci": ACI, "e164": "12075550111"}}},
        {"chat": {"id": chat, "recipientId": ana}},
    ]
    for item in items:
        sent = str(1_709_650_800_000 + item["minute"] * 60_000)
        mine = {"outgoing": {"sendStatus": [{"recipientId": ana, "read": {}}]}}
        side = mine if item.get("mine") else {"incoming": {"dateReceived": sent}}
        content = item["content"]
        author = own if item.get("mine") else ana
        base = {"chatId": chat, "authorId": author, "dateSent": sent}
        frames.append({"chatItem": base | side | content})
    folder = folder / f"signal-backup-{first}"
    folder.mkdir()
    (folder / "main.jsonl").write_text("".join(json.dumps(one) + "\n" for one in frames))
    (folder / "metadata.json").write_text('{"version": 1}')
    if media:
        (folder / "files" / "0a").mkdir(parents=True)
        (folder / "files" / "0a" / "some.jpg").write_bytes(b"knee")


ACI = base64.b64encode(bytes(15) + b"\x01").decode()
POINTER = {
    "contentType": "image/jpeg",
    "locatorInfo": {
        "plaintextHash": base64.b64encode(hashlib.sha256(b"knee").digest()).decode(),
        "size": 4,
    },
}


def words(text: str, *pointers: dict[str, Any]) -> dict[str, Any]:
    attached = [{"pointer": one} for one in pointers]
    return {"standardMessage": {"text": {"body": text}, "attachments": attached}}


SIGNALS: list[dict[str, Any]] = [
    {"minute": 1, "content": words("Hello")},
    {"minute": 2, "content": words("I see"), "mine": True},
    {"minute": 3, "content": words("my knee", POINTER)},
]


def early_signal(folder: Path) -> None:
    signal_export(folder, 1, SIGNALS, media=False)


def late_signal(folder: Path) -> None:
    call = {"updateMessage": {"individualCall": {"type": "AUDIO_CALL"}}}
    joined = {"updateMessage": {"simpleUpdate": {"type": "JOINED_SIGNAL"}}}
    more = [
        {"minute": 0, "content": joined},
        {"minute": 8, "content": call},
        {"minute": 9, "content": words("Thank you")},
    ]
    signal_export(folder, 40, [*more, *SIGNALS], media=True)


CASES = {
    "signal": Exports(
        early_signal,
        late_signal,
        ["Hello", "I see", "Thank you", "my knee"],
        first=3,
        held=1,
        files=1,
    ),
    "imessage": Exports(
        early_imessage,
        late_imessage,
        ["Hello", "I see", "Thank you", "my knee"],
        first=3,
        held=1,
        files=1,
    ),
    "sms_ie": Exports(
        early_sms_ie,
        late_sms_ie,
        ["Hello", "I see", "Thank you", "my knee"],
        first=3,
        held=1,
        files=1,
    ),
    "google_voice": Exports(
        early_voice, late_voice, ["", "I see", "Thank you"], first=2, held=1, files=1
    ),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def exports(request: pytest.FixtureRequest) -> Exports:
    found: Exports = request.param
    return found


def take(url: str, folder: Path) -> tuple[int, int, int]:
    people = folder.parent / "people.csv"
    people.write_text(PEOPLE)
    with threadwell.open(url) as tw:
        counts = tw.import_messages(folder, people=people, zone="America/New_York").counts
    assert counts.read == counts.new + counts.known + counts.quarantined
    return counts.new, counts.known, counts.quarantined


def test_nothing_is_there_twice(
    exports: Exports,
    empty_store: Callable[[], str],
    live_resources: Callable[[str], dict[str, Any]],
    tmp_path: Path,
) -> None:
    early, again, late = (tmp_path / name for name in ("early", "a copy of it", "late"))
    for folder, write in ((early, exports.early), (again, exports.early), (late, exports.late)):
        folder.mkdir()
        write(folder)
    url, at_once, backwards = empty_store(), empty_store(), empty_store()
    new = len(exports.texts) - exports.first
    assert take(url, early) == (exports.first, 0, 0)
    assert take(url, early) == (0, exports.first, 0)
    assert take(url, again) == (0, exports.first, 0)
    assert take(url, late) == (new, exports.first, exports.held)
    assert take(at_once, late) == (len(exports.texts), 0, exports.held)
    assert take(backwards, late) == (len(exports.texts), 0, exports.held)
    assert take(backwards, early) == (0, exports.first, 0)
    found = [live_resources(one) for one in (url, at_once, backwards)]
    assert _said(found[0]) == _said(found[1]) == _said(found[2])
    assert sorted(text for text, _ in _said(found[0])) == sorted(exports.texts)
    assert sum(files for _, files in _said(found[0])) == exports.files
    with threadwell.open(url) as tw:
        assert tw.verify() == []


def _said(resources: dict[str, Any]) -> list[tuple[str, int]]:
    """What each message says, and how many files of it are there."""
    out = []
    for body, _ in resources.values():
        if body["resourceType"] == "Communication" and "partOf" in body:
            payload = body["payload"]
            texts = [part["contentString"] for part in payload if "contentString" in part]
            files = [part["contentAttachment"] for part in payload if "contentAttachment" in part]
            out.append(("".join(texts), sum("url" in one for one in files)))
    return sorted(out)

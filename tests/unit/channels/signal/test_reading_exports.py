"""Exports of Signal in, messages out."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from threadwell.channels import ReadOptions, read_path
from threadwell.channels.signal import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message, gaps, looks
from threadwell.messages.wordings import original_of

CLINIC = Address(AddressKind.PHONE, "+12075550100")
ANA = "+12075550111"
ANA_ACI, BEN_ACI, EVE_ACI, OUR_ACI = (str(UUID(int=n)) for n in (1, 2, 3, 9))
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MS = int(NOON.timestamp() * 1000)

Read = Callable[..., list[Message | Broken]]


def b64(aci: str) -> str:
    return base64.b64encode(UUID(aci).bytes).decode()


INFO: dict[str, Any] = {"version": "1", "backupTimeMs": str(MS)}
SELF: dict[str, Any] = {"recipient": {"id": "1", "self": {}}}
ACCOUNT: dict[str, Any] = {"account": {"givenName": "Elm", "e164": "12075550100"}}


def contact(id_: str, aci: str = "", e164: str = "", **more: Any) -> dict[str, Any]:
    found = {"aci": b64(aci)} if aci else {}
    return {"recipient": {"id": id_, "contact": found | ({"e164": e164} if e164 else {}) | more}}


def group(id_: str, *acis: str, secret: str = "c2VjcmV0") -> dict[str, Any]:
    members = [{"userId": b64(aci), "role": "DEFAULT"} for aci in acis]
    snapshot = {"title": {"title": "Knees"}, "members": members}
    return {"recipient": {"id": id_, "group": {"masterKey": secret, "snapshot": snapshot}}}


def chat(id_: str, recipient: str) -> dict[str, Any]:
    return {"chat": {"id": id_, "recipientId": recipient}}


PEOPLE = [
    ACCOUNT,
    SELF,
    contact("2", ANA_ACI, "12075550111", profileGivenName="Ana", profileFamilyName="Prado"),
    contact("3", BEN_ACI, nickname={"given": "Ben"}, profileGivenName="Benno"),
    group("4", ANA_ACI, BEN_ACI, OUR_ACI),
    {"recipient": {"id": "5", "releaseNotes": {}}},
    *(chat("10", "2"), chat("11", "3"), chat("12", "4"), chat("13", "1"), chat("14", "5")),
]


def got(content: Any = "Hello", *, author: str = "2", in_: str = "10", at: int = 0, **more: Any):
    """An item that came; a text stands for a message of that text."""
    if isinstance(content, str):
        content = {"standardMessage": {"text": {"body": content}}}
    sent = MS + at * 60_000
    base = {"chatId": in_, "authorId": author, "dateSent": str(sent)}
    return {"chatItem": base | {"incoming": {"dateReceived": str(sent + 500)}} | content | more}


def sent(content: Any = "Hello", *, in_: str = "10", at: int = 0, to: list[Any] | None = None):
    item = got(content, author="1", in_=in_, at=at)["chatItem"]
    del item["incoming"]
    statuses = [{"recipientId": "2", "delivered": {}}] if to is None else to
    return {"chatItem": item | {"outgoing": {"sendStatus": statuses}}}


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(
        *frames: Any,
        people: list[dict[str, Any]] = PEOPLE,
        owner: tuple[Address, ...] = (),
        files: dict[str, bytes] | None = None,
    ) -> list[Message | Broken]:
        every = [INFO, *people, *frames]
        lines = [one if isinstance(one, str) else json.dumps(one) for one in every]
        path = tmp_path / "main.jsonl"
        path.write_text("\n".join([*lines, ""]))
        for name, content in (files or {}).items():
            place = tmp_path / "files" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return list(CHANNEL.messages(path, ReadOptions(None, owner)))

    return read


def sound(items: list[Message | Broken]) -> list[Message]:
    out = [item for item in items if isinstance(item, Message)]
    assert len(out) == len(items), [item for item in items if isinstance(item, Broken)]
    return out


def values(addresses: tuple[Address, ...]) -> list[str]:
    return [one.value for one in addresses]


def test_both_sides_of_a_chat(read: Read) -> None:
    first, second = sound(read(got("My knee hurts"), sent("Since when?", at=1)))
    assert first.sender == Address(AddressKind.PHONE, ANA, "Ana Prado")
    assert (values(first.recipients), values(first.ours)) == ([CLINIC.value], [CLINIC.value])
    assert (first.sent, first.received) == (NOON, NOON + timedelta(milliseconds=500))
    assert (second.sender.value, values(second.recipients)) == (CLINIC.value, [ANA])
    assert second.sent == NOON + timedelta(minutes=1)
    assert {first.thread_hint, second.thread_hint} == {ANA_ACI}
    assert (first.medium, first.notes, second.received) == ("APPWRIT", (), None)


def test_a_person_without_a_number_is_their_id(read: Read) -> None:
    (one,) = sound(read(got(author="3", in_="11")))
    assert one.sender == Address(AddressKind.OTHER, f"signal:{BEN_ACI}", "Ben")


@pytest.mark.parametrize(
    ("account", "owner", "own", "said"),
    [
        (ACCOUNT, (), CLINIC.value, True),
        ({"account": {"phoneNumber": "+12075550100"}}, (), CLINIC.value, True),
        ({"account": {"givenName": "Elm"}}, (CLINIC,), CLINIC.value, False),
        ({"account": {}}, (), "signal:owner", False),
        (
            {"account": {}},
            (CLINIC, Address(AddressKind.OTHER, "signal:elm")),
            "signal:elm",
            False,
        ),
    ],
)
def test_whose_account_it_is(
    read: Read, account: dict[str, Any], owner: tuple[Address, ...], own: str, said: bool
) -> None:
    (one,) = sound(read(got(), people=[account, *PEOPLE[1:]], owner=owner))
    assert values(one.recipients) == [own]
    assert values(one.ours) == ([own] if said else [])


def test_a_group(read: Read) -> None:
    statuses = [{"recipientId": "3", "read": {}}]
    first, all_, one = sound(
        read(
            got("Hi all", author="3", in_="12"),
            sent("Hello", in_="12", at=1, to=[]),
            sent("Ben?", in_="12", at=2, to=statuses),
        )
    )
    assert (first.sender.value, values(first.recipients)) == (
        f"signal:{BEN_ACI}",
        [CLINIC.value, ANA],
    )
    assert values(all_.recipients) == [f"signal:{BEN_ACI}", ANA]
    assert values(one.recipients) == [f"signal:{BEN_ACI}"]
    assert len({each.thread_hint for each in (first, all_, one)}) == 1
    assert first.thread_hint.startswith("group:")


def test_who_came_to_a_group_later_did_not_get_what_came_before(read: Read) -> None:
    people = [*PEOPLE, contact("6", EVE_ACI, "12075550133")]
    people[4] = group("4", ANA_ACI, BEN_ACI, EVE_ACI, OUR_ACI)
    change = {"updates": [{"groupMemberAddedUpdate": {"newMemberAci": b64(EVE_ACI)}}]}
    left = {"updates": [{"groupMemberLeftUpdate": {"aci": b64(ANA_ACI)}}]}
    items = read(
        got("first", author="3", in_="12"),
        got({"updateMessage": {"groupChange": change}}, in_="12", at=1),
        got("second", author="3", in_="12", at=2),
        got({"updateMessage": {"groupChange": left}}, in_="12", at=3),
        got("third", author="3", in_="12", at=4),
        people=people,
    )
    to = [set(values(one.recipients)) - {CLINIC.value} for one in sound(items)]
    assert to == [{ANA}, {ANA, "+12075550133"}, {"+12075550133"}]


ATTACHED = b"\xff\xd8 a knee"
DIGEST = hashlib.sha256(ATTACHED).digest()


def attached(**more: Any) -> dict[str, Any]:
    locator = {"plaintextHash": base64.b64encode(DIGEST).decode(), "size": len(ATTACHED)}
    pointer = {"contentType": "image/jpeg", "locatorInfo": locator} | more
    return {"standardMessage": {"text": {"body": "look"}, "attachments": [{"pointer": pointer}]}}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("ab/any.jpg", True),
        (f"{DIGEST.hex()[:2]}/{DIGEST.hex()}.jpg", True),
        (DIGEST.hex(), True),
        ("../elsewhere.jpg", False),
    ],
)
def test_a_file_is_found_by_its_digest(read: Read, name: str, found: bool) -> None:
    other = {"ab/other.jpg": b"\xff\xd8 a foot"}
    (one,) = sound(read(got(attached()), files={name: ATTACHED} | other))
    (file,) = one.attachments
    assert (file.filename, file.content_type) == ("file-1.jpg", "image/jpeg")
    assert file.content == (ATTACHED if found else None)
    assert one.notes == (() if found else ("a file of it is not beside the export",))
    (named,) = sound(read(got(attached(fileName="knee.jpg"))))
    assert named.attachments[0].filename == "knee.jpg"


def long(whole: str) -> dict[str, Any]:
    """A text that is in a file, as a message names it."""
    digest = base64.b64encode(hashlib.sha256(whole.encode()).digest()).decode()
    locator = {"plaintextHash": digest, "size": len(whole)}
    return {"contentType": "text/x-signal-plain", "locatorInfo": locator}


def test_a_long_text_is_in_a_file(read: Read) -> None:
    whole = ("word " * 1000).strip()
    item = got({"standardMessage": {"text": {"body": whole[:1999]}, "longText": long(whole)}})
    (cut,) = sound(read(item))
    assert (cut.text, cut.notes) == (whole[:1999], (gaps.CUT_TEXT,))
    (one,) = sound(read(item, files={"ab/text": whole.encode()}))
    assert (one.text, one.attachments, one.notes) == (whole, (), ())


def test_mentions_are_put_in_their_place(read: Read) -> None:
    body = "\U0001f600 \ufffc and \ufffc and \ufffc"
    ranges = [
        {"start": 3, "length": 1, "mentionAci": b64(ANA_ACI)},
        {"start": 0, "length": 2, "style": "BOLD"},
        {"start": 9, "length": 1, "mentionAci": b64(BEN_ACI)},
        {"start": 99, "length": 1, "mentionAci": b64(BEN_ACI)},
    ]
    item = got({"standardMessage": {"text": {"body": body, "bodyRanges": ranges}}})
    (one,) = sound(read(item))
    assert one.text == f"\U0001f600 @{ANA} and @signal:{BEN_ACI} and \ufffc"


def test_what_is_struck_is_shown_among_mentions(read: Read) -> None:
    body = "\U0001f600 10 mg \ufffc 5 mg"
    ranges = [
        {"start": 3, "length": 5, "style": "STRIKETHROUGH"},
        {"start": 9, "length": 1, "mentionAci": b64(ANA_ACI)},
        {"start": 13, "length": 9, "style": "STRIKETHROUGH"},
        {"start": 11, "length": 2, "style": "SPOILER"},
    ]
    item = got({"standardMessage": {"text": {"body": body, "bodyRanges": ranges}}})
    (one,) = sound(read(item))
    assert one.text == one.new_text == f"\U0001f600 ~~10 mg~~ @{ANA} 5 ~~mg~~"
    assert one.notes == (looks.NOTE,)


def test_what_is_struck_is_shown_in_a_long_text(read: Read) -> None:
    whole = "10 mg " + "and more " * 400
    text = {"body": whole[:1999], "bodyRanges": [{"length": 5, "style": 4}]}
    item = got({"standardMessage": {"text": text, "longText": long(whole)}})
    (one,) = sound(read(item, files={"ab/text": whole.encode()}))
    assert one.text == f"~~10 mg~~ {whole[6:].strip()}"


KINDS: dict[str, tuple[dict[str, Any], str, int, str]] = {
    "deleted": ({"remoteDeletedMessage": {}}, "", 0, "deleted by its sender"),
    "deleted by an admin": ({"adminDeletedMessage": {"adminId": "2"}}, "", 0, "in the group"),
    "to be viewed once": ({"viewOnceMessage": {}}, "", 1, "viewed only once"),
    "poll": (
        {"poll": {"question": "When?", "options": [{"option": "Mon"}, {"option": "Tue"}]}},
        "When?\n- Mon\n- Tue",
        0,
        "",
    ),
    "sticker": ({"stickerMessage": {"sticker": {"emoji": "\U0001f44d"}}}, "\U0001f44d", 0, ""),
    "contact": ({"contactMessage": {"contact": {"name": {"givenName": "Dr"}}}}, "", 1, ""),
    "answer to a story": (
        {"directStoryReplyMessage": {"textReply": {"text": {"body": "Nice"}}}},
        "Nice",
        0,
        "",
    ),
}


@pytest.mark.parametrize(("content", "text", "files", "note"), KINDS.values(), ids=KINDS)
def test_kinds_of_messages(
    read: Read, content: dict[str, Any], text: str, files: int, note: str
) -> None:
    (one,) = sound(read(got(content)))
    assert (one.text, len(one.attachments)) == (text, files)
    assert note in " ".join(one.notes)
    assert bool(one.notes) == bool(note)


@pytest.mark.parametrize(
    ("item", "reason", "set_aside"),
    [
        (got({"updateMessage": {"individualCall": {"type": "AUDIO"}}}), "notice of a call", True),
        (got({"paymentNotification": {"note": "x"}}), "notice of a payment", True),
        (sent(in_="13"), "wrote to themselves", True),
        (got(in_="14", author="5"), "notice of Signal itself", True),
        (sent(to=[{"recipientId": "2", "failed": {"reason": "NETWORK"}}]), "not be sent", True),
        (sent(to=[{"recipientId": "2", "pending": {}}]), "still waiting", True),
        (got(""), "empty", False),
        (got({"somethingNew": {"a": 1}}), "kind that is not known", False),
        (got(author="99"), "nobody is named as its sender", False),
        (got(in_="99"), "not in the export", False),
        (got(dateSent="0"), "no usable date", False),
        (got(dateSent="soon"), "no usable date", False),
        ({"chatItem": {"chatId": "10", "authorId": "2", "dateSent": str(MS)}}, "not known", False),
        ({"brandNewFrame": {"a": 1}}, "kind that is not known", False),
        ('{"chatItem": {"chatId": "10"', "damaged or breaks off", False),
        ("[1]", "damaged or breaks off", False),
    ],
)
def test_what_is_no_message_is_kept_with_the_reason(
    read: Read, item: Any, reason: str, set_aside: bool
) -> None:
    before, broken, after = read(got("before"), item, got("after", at=9))
    assert isinstance(before, Message)
    assert isinstance(after, Message)
    assert isinstance(broken, Broken)
    assert reason in broken.reason
    assert (broken.set_aside, broken.source) == (set_aside, "main.jsonl, line 14")
    assert broken.content.strip().startswith((b"{", b"["))


def test_what_signal_notes_of_a_chat_is_left_out(read: Read) -> None:
    update = {"simpleUpdate": {"type": "JOINED_SIGNAL"}}
    assert read(got({"updateMessage": update}), {"stickerPack": {"packId": "x"}}) == []


def test_an_edited_message_has_its_last_wording_and_its_first_time(read: Read) -> None:
    first = got("take 5")
    revision = first["chatItem"]
    edited = got("take 50", at=3, revisions=[revision])
    kept = got("take 50", revisions=[revision | {"dateSent": str(MS + 180_000)}])
    (alone,) = sound(read(first))
    for item in (edited, kept):
        before, later = sound(read(item))
        assert before == alone
        assert (later.text, later.sent) == ("take 50", NOON)
        assert later.edited == NOON + timedelta(minutes=3)
        assert original_of(later.external_id) == alone.external_id != later.external_id
        assert "edited" in later.notes[0]


def test_every_wording_is_a_message(read: Read) -> None:
    first = got("take 5")["chatItem"]
    second = got("take 6", at=1)["chatItem"]
    found = sound(read(got("take 5", at=2, revisions=[second, first])))
    assert [one.text for one in found] == ["take 5", "take 6", "take 5"]
    assert [one.edited and one.edited - NOON for one in found] == [
        None,
        timedelta(minutes=1),
        timedelta(minutes=2),
    ]
    assert len({one.external_id for one in found}) == 3
    assert len({original_of(one.external_id) for one in found}) == 1


def test_what_is_left_of_a_deleted_message_is_taken_back(read: Read) -> None:
    (before,) = sound(read(got("take 5")))
    (gone,) = sound(read(got({"remoteDeletedMessage": {}})))
    assert (gone.text, gone.taken_back) == ("", True)
    assert original_of(gone.external_id) == before.external_id != gone.external_id


def test_an_answer_names_what_it_answers(read: Read) -> None:
    def quoting(author: str, at: int) -> dict[str, Any]:
        quote = {"targetSentTimestamp": str(MS + at * 60_000), "authorId": author}
        return {"standardMessage": {"text": {"body": "yes"}, "quote": quote}}

    one, two, three, four, five = sound(
        read(
            got("Monday?"),
            sent("Tuesday?", at=1),
            sent(quoting("2", 0), at=2),
            got(quoting("1", 1), at=3),
            got(quoting("99", 1), at=4),
        )
    )
    assert [one.in_reply_to, two.in_reply_to, five.in_reply_to] == ["", "", ""]
    assert three.in_reply_to == one.external_id
    assert four.in_reply_to == two.external_id


def renumbered(frames: list[Any]) -> list[Any]:
    """The same as another export has it: with other numbers, and these as numbers."""
    names = ("id", "recipientId", "authorId", "chatId", "dateSent")

    def change(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: change(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [change(one) for one in value]
        if key in names:
            return int(value) + (0 if key == "dateSent" else 500)
        return value

    return [change(one) for one in frames]


def test_ids_are_not_made_of_the_numbers_of_one_export(read: Read) -> None:
    items = [got(), sent(at=1), got(author="3", in_="12", at=2), sent(in_="12", at=3)]
    before = [(one.external_id, one.thread_hint) for one in sound(read(*items))]
    assert len({id_ for id_, _ in before}) == 4
    people = renumbered([one for one in PEOPLE if one is not ACCOUNT])
    other = sound(read(*renumbered(items), people=[ACCOUNT, *people]))
    assert [(one.external_id, one.thread_hint) for one in other] == before


@pytest.mark.parametrize(
    ("lines", "known"),
    [
        ([INFO], True),
        ([SELF], True),
        ([got()], True),
        ([{"account": {"givenName": "a"}}, chat("1", "2"), contact("2", ANA_ACI)], True),
        ([{"account": {"name": "a bank"}}], False),
        ([{"recipient": {"id": "1", "name": "a parcel"}}], False),
        ([{"version": "1"}], False),
        ([{"sent": "2026-03-02", "from": "a", "text": "b"}], False),
    ],
)
def test_a_file_is_known_by_its_lines(lines: list[Any], known: bool) -> None:
    head = "\n".join([*map(json.dumps, lines), '{"cut": "o']).encode()
    assert CHANNEL.sniff(head, Path("any")) is known


@pytest.mark.parametrize("name", ["signal-2026-03-02-12-00-00.backup", "db.sqlite"])
def test_what_signal_keeps_under_a_key_says_what_it_needs(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x00\x00\x00\x38\x0a\x36" + bytes(range(200)))
    (broken,) = read_path(tmp_path, options=ReadOptions(None), channels=(CHANNEL,))
    assert isinstance(broken, Broken)
    assert "Export chat history" in broken.reason


def test_a_whole_export(tmp_path: Path) -> None:
    folder = tmp_path / "signal-backup-2026-03-02-12-00-00"
    (folder / "files" / "ab").mkdir(parents=True)
    frames = [INFO, *PEOPLE, got(attached())]
    (folder / "main.jsonl").write_text("".join(json.dumps(one) + "\n" for one in frames))
    (folder / "metadata.json").write_text('{"version": 1}')
    (folder / "files" / "ab" / "one.jpg").write_bytes(ATTACHED)
    (folder / "files" / "ab" / "orphan.jpg").write_bytes(b"nobody names it")
    items = list(read_path(tmp_path, options=ReadOptions(None), channels=(CHANNEL,)))
    (one,) = [item for item in items if isinstance(item, Message)]
    assert one.attachments[0].content == ATTACHED
    assert [item.source for item in items if isinstance(item, Broken)] == ["orphan.jpg"]

"""A database of messages in, messages out."""

from __future__ import annotations

import plistlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.channels.imessage.chats import CLINIC, values
from threadwell.messages import Broken, Message
from threadwell.messages.wordings import original_of

from .conftest import ANA, BEN, NANOSECONDS, NOON, OWN, SECONDS, Phone, sound, typedstream


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

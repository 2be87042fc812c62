"""Each kind of message becomes what the README says."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from tests.unit.channels.whatsapp_cloud.cloud_deliveries import (
    ACCOUNT,
    ANA,
    AT,
    BEN,
    DESK,
    OWN,
    body,
    heard,
    message,
    of,
    value,
    wamid,
)
from threadwell.channels.account import Account
from threadwell.channels.live import Arrived, Wish, Wished
from threadwell.messages import Broken, Message, gaps
from threadwell.messages.wordings import original_of

UNREAD = "what it says could not be read: what WhatsApp tells of it is a file of it"


def one(content: bytes, account: Account = ACCOUNT) -> Message:
    """The only message of a delivery."""
    (found,) = (read for read in heard(content, account) if not isinstance(read, Wished))
    found = found.message if isinstance(found, Arrived) else found
    assert isinstance(found, Message), found
    return found


def test_a_text() -> None:
    read = one(of(message()))
    assert (read.channel, read.external_id) == ("whatsapp_cloud", wamid(1))
    assert (read.sender.value, read.sender.display) == (f"+{ANA}", "Ana Prado")
    assert (read.recipients, read.ours) == ((OWN,), (OWN,))
    assert read.sent.isoformat() == "2025-03-03T12:00:00+00:00"
    assert (read.text, read.new_text) == ("Is the clinic open?", "Is the clinic open?")
    assert read.thread_hint == f"+{ANA},+{DESK}"
    assert (read.made_id, read.on_arrival, read.notes) == (True, False, ())


SHOWN = [
    ("location", {"latitude": 43.66, "longitude": -70.25}, "43.66, -70.25"),
    (
        "location",
        {"latitude": 43.66, "longitude": -70.25, "name": "Harbour Clinic", "address": "2 Pier Rd"},
        "Harbour Clinic\n2 Pier Rd\n43.66, -70.25",
    ),
    ("button", {"text": "Confirm", "payload": "yes-17"}, "Confirm"),
    ("button", {"payload": "yes-17"}, "yes-17"),
    ("interactive", {"type": "button_reply", "button_reply": {"id": "b1", "title": "Yes"}}, "Yes"),
    (
        "interactive",
        {"list_reply": {"id": "l1", "title": "Tuesday", "description": "9:00, Dr Okafor"}},
        "Tuesday\n9:00, Dr Okafor",
    ),
    (
        "interactive",
        {"nfm_reply": {"body": "Sent", "response_json": '{"flow_token": "x", "pain": 3}'}},
        "Sent\npain: 3",
    ),
    ("interactive", {"nfm_reply": {"response_json": '{"pain": "no", "of": ["a"]}'}}, None),
    ("interactive", {"nfm_reply": {"body": "Sent", "response_json": "{half"}}, "Sent\n{half"),
    (
        "interactive",
        {
            "type": "button",
            "body": {"text": "Will you come?"},
            "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]},
        },
        "Will you come?\nYes",
    ),
    (
        "order",
        {
            "catalog_id": "4",
            "text": "By Friday please",
            "product_items": [
                {"product_retailer_id": "BRACE-L", "quantity": 2, "item_price": 9.5}
                | {"currency": "USD"},
                {"product_retailer_id": "TAPE", "quantity": "1"},
            ],
        },
        "By Friday please\n2 × BRACE-L, 9.5 USD each\n1 × TAPE",
    ),
    (
        "contacts",
        [
            {
                "name": {"formatted_name": "Dr Bea Lindt", "first_name": "Bea"},
                "org": {"company": "Pier Pharmacy"},
                "phones": [{"phone": "+1 207-555-0133", "wa_id": "12075550133"}],
                "emails": [{"email": "bea@example.org", "type": "WORK"}],
                "addresses": [{"street": "2 Pier Rd", "city": "Portland", "zip": "04101"}],
            },
            {"name": {"first_name": "Ole"}, "phones": [{"wa_id": BEN}]},
        ],
        "Dr Bea Lindt\nPier Pharmacy\n+1 207-555-0133\nbea@example.org\n2 Pier Rd, Portland, 04101"
        f"\n\nOle\n{BEN}",
    ),
]


@pytest.mark.parametrize(("kind", "said", "text"), SHOWN)
def test_what_is_said_without_a_text(kind: str, said: Any, text: str | None) -> None:
    read = one(of(message(1, kind, said)))
    assert read.text == (text if text is not None else 'pain: no\nof: ["a"]')
    assert (read.attachments, read.notes) == ((), ())


@pytest.mark.parametrize(
    ("kind", "said", "text", "name", "type_"),
    [
        ("image", {"mime_type": "image/jpeg", "caption": "My hand"}, "My hand", "image.jpg", None),
        ("sticker", {"mime_type": "image/webp", "animated": False}, "", "sticker.webp", None),
        ("video", {"mime_type": "video/mp4"}, "", "video.mp4", None),
        ("audio", {"mime_type": "audio/mpeg", "voice": False}, "", "audio.mp3", None),
        (
            "audio",
            {"mime_type": "audio/ogg; codecs=opus", "voice": True},
            "",
            "voice.oga",
            "audio/ogg; codecs=opus",
        ),
        (
            "document",
            {"mime_type": "application/pdf", "filename": "Lab 7.pdf", "caption": "From Dr Lindt"},
            "From Dr Lindt",
            "Lab 7.pdf",
            None,
        ),
        ("document", {"mime_type": "two/types/here", "filename": "x"}, "", "x.bin", None),
    ],
)
def test_files_are_named_and_fetched(
    kind: str, said: dict[str, Any], text: str, name: str, type_: str | None
) -> None:
    (found,) = heard(of(message(1, kind, {**said, "id": "801", "sha256": "eA=="})))
    assert isinstance(found, Arrived)
    (file,) = found.message.attachments
    assert (found.message.text, file.content) == (text, None)
    assert file.filename.replace("oga", "ogg") == name.replace("oga", "ogg")
    assert file.content_type == (type_ or said["mime_type"]) or kind == "document"
    assert [(remote.place, remote.attachment) for remote in found.files] == [("801", 0)]
    # Without an id nobody can ask for it.
    (lost,) = heard(of(message(1, kind, said)))
    assert isinstance(lost, Message)
    assert lost.attachments[0].note == "was not handed over by WhatsApp"


def test_what_a_message_is_about() -> None:
    reply = {"context": {"from": DESK, "id": wamid(7)}}
    assert one(of(message(**reply))).in_reply_to == wamid(7)
    for name in ("forwarded", "frequently_forwarded"):
        read = one(of(message(context={name: True})))
        assert (read.in_reply_to, len(read.notes)) == ("", 1)
        assert "forwarded" in read.notes[0]
    advert = one(of(message(referral={"source_type": "ad", "headline": "Flu shots"})))
    assert advert.notes == ("written after a click on an advertisement",)


@pytest.mark.parametrize(
    ("wa_id", "address"),
    [
        ("5215555550123", "+525555550123"),
        ("551187654321", "+5511987654321"),
        ("447700900123", "+447700900123"),
        ("4917612345678", "+4917612345678"),
        ("US.13491208655302741918", "whatsapp_cloud:US.13491208655302741918"),
    ],
)
def test_who_writes(wa_id: str, address: str) -> None:
    read = one(of({**message(), "from": wa_id}))
    assert read.sender.value == address
    assert read.sender.display == ""


def test_who_writes_under_a_user_name() -> None:
    contact = {"profile": {"name": "", "username": "ana.p"}, "user_id": "US.77"}
    hidden = {**message(), "from_user_id": "US.77"}
    del hidden["from"]
    read = one(body(value(contacts=[contact], messages=[hidden])))
    assert (read.sender.value, read.sender.display) == ("whatsapp_cloud:US.77", "ana.p")
    both = one(body(value(contacts=[contact], messages=[{**hidden, "from": ANA}])))
    assert (both.sender.value, both.sender.display) == (f"+{ANA}", "ana.p")


def test_the_number_of_the_practice() -> None:
    other = value(messages=[message()])
    for shown, own in (("+1 (212) 555-0177", "+12125550177"), ("", f"+{DESK}"), (None, f"+{DESK}")):
        other["metadata"]["display_phone_number"] = shown
        assert one(body(other)).ours[0].value == own
    gone = Account("wa", "whatsapp_cloud")
    assert one(body(other), gone).ours[0].value == "whatsapp_cloud:700100"


def test_a_group_is_a_thread_of_its_own() -> None:
    read = one(of(message(group_id="G77")))
    assert read.thread_hint == f"group:G77,+{DESK}"


@pytest.mark.parametrize(
    ("more", "note"),
    [
        (
            {"errors": [{"code": 131051, "title": "Message type unknown"}]},
            "WhatsApp does not hand over what it says (error 131051)",
        ),
        (
            {"errors": [{"code": 131051}], "unsupported": {"type": "poll_creation"}},
            "WhatsApp does not hand over what it says (kind poll_creation, error 131051)",
        ),
        ({"unsupported": {"type": "Ana's"}}, "WhatsApp does not hand over what it says"),
    ],
)
def test_what_is_not_handed_over_is_a_message_all_the_same(more: Any, note: str) -> None:
    read = one(of({**message(1, "unsupported"), **more}))
    assert (read.text, read.notes) == ("", (note,))
    assert [file.filename for file in read.attachments] == ["message.json"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("hologram", {"depth": 3}),
        ("text", {}),
        ("text", {"body": 7}),
        ("text", "Hello"),
        ("image", None),
        ("interactive", {"call_permission_reply": {"response": "accept"}}),
        ("contacts", {"name": 3}),
        ("location", []),
        ("", None),
    ],
)
def test_what_is_not_known_is_kept_whole(kind: str, said: Any) -> None:
    read = one(of(message(1, kind, said)))
    assert (read.text, read.notes) == ("", (UNREAD,))
    (file,) = read.attachments
    assert (file.filename, file.content_type) == ("message.json", "application/json")
    assert file.content is not None
    assert wamid(1).encode() in file.content


def test_an_edit_is_a_message_that_answers_the_first() -> None:
    inner = {"type": "text", "text": {"body": "At 4, not at 3"}, "context": {"id": wamid(2)}}
    edit = message(9, "edit", {"original_message_id": wamid(3), "message": inner})
    read = one(of(edit))
    assert original_of(read.external_id) == read.in_reply_to == wamid(3) != read.external_id
    assert read.edited == read.sent
    assert (read.text, read.notes) == (
        "At 4, not at 3",
        ("new words for the message that it answers",),
    )
    picture = {"type": "image", "image": {"id": "802", "mime_type": "image/png", "caption": "b"}}
    edit = message(9, "edit", {"original_message_id": wamid(3), "message": picture})
    (found,) = heard(of(edit))
    assert isinstance(found, Arrived)
    assert (found.message.text, found.files[0].place) == ("b", "802")


@pytest.mark.parametrize(
    ("kind", "said", "reason", "set_aside"),
    [
        ("reaction", {"message_id": wamid(3), "emoji": "👍"}, "a reaction to a message", True),
        ("reaction", {"message_id": wamid(3)}, "a reaction to a message", True),
        ("revoke", {"original_message_id": wamid(3)}, "has deleted a message", True),
        ("request_welcome", None, "has opened the chat", True),
        ("system", {"type": "user_identity_changed"}, "news of an account", True),
        ("system", {"type": "user_changed_number", "wa_id": BEN}, "has another number", False),
        ("system", {"type": "customer_changed_number"}, "has another number", False),
    ],
)
def test_what_nobody_sent_as_a_message(kind: str, said: Any, reason: str, set_aside: bool) -> None:
    first, found, *more = heard(of(message(8), message(1, kind, said)))
    assert isinstance(first, Message)
    assert [one.external_id for one in more] == ([wamid(3)] if kind == "revoke" else [])
    assert isinstance(found, Broken)
    assert reason in found.reason
    assert (found.set_aside, found.source) == (set_aside, "a delivery to wa")
    assert wamid(1).encode() in found.content
    assert wamid(8).encode() not in found.content


@pytest.mark.parametrize(
    "changed", [{"from": ""}, {"from": None}, {"from": 1.5e11}, {"id": ""}, {"id": None}]
)
def test_a_message_that_says_too_little_is_held(changed: dict[str, Any]) -> None:
    (found,) = heard(of({**message(), **changed}))
    assert isinstance(found, Broken)
    assert not found.set_aside


@pytest.mark.parametrize("said", ["", "soon", None, "99999999999999", "17", 1.5, "²³"])
def test_a_time_that_is_none_is_that_of_its_arrival(said: Any) -> None:
    read = one(of({**message(), "timestamp": said}))
    assert (read.on_arrival, read.sent) == (True, read.received)
    assert one(of({**message(), "timestamp": int(AT)})).on_arrival is False


def test_echoes_are_what_the_practice_wrote() -> None:
    echo = {**message(4, said={"body": "Come at 4."}), "from": DESK, "to": ANA}
    read = one(body(value(message_echoes=[echo]), field="smb_message_echoes"))
    assert (read.sender, [one.value for one in read.recipients]) == (OWN, [f"+{ANA}"])
    assert (read.thread_hint, read.ours) == (f"+{ANA},+{DESK}", (OWN,))
    lost = body(value(message_echoes=[{**echo, "to": ""}]), field="smb_message_echoes")
    assert isinstance(heard(lost)[0], Broken)


def test_chats_of_before_the_phone_was_connected() -> None:
    ours = {**message(1, said={"body": "Your brace is here."}), "from": DESK}
    failed = {**ours, "id": wamid(2), "history_context": {"status": "ERROR"}}
    theirs = message(3, said={"body": "Thanks!"}, history_context={"status": "READ"})
    place = message(4, "media_placeholder")
    part = {"metadata": {"phase": 0}, "threads": [{"id": ANA, "messages": [ours, failed, theirs]}]}
    more = {"threads": [{"id": ANA, "messages": [place]}, {"id": BEN}, 7]}
    found = heard(body(value(history=[part, more]), field="history"))
    messages = [read for read in found if isinstance(read, Message)]
    assert [read.sender.value for read in messages] == [f"+{n}" for n in (DESK, DESK, ANA, ANA)]
    assert {read.thread_hint for read in messages} == {f"+{ANA},+{DESK}"}
    assert messages[0].recipients[0].value == f"+{ANA}"
    assert messages[1].notes == ("it was not delivered, and nobody has received it",)
    assert messages[3].notes == (f"{gaps.OF_A_FILE}was not handed over by WhatsApp",)
    assert len([read for read in found if isinstance(read, Broken)]) == 2
    declined = heard(body(value(history=[{"errors": [{"code": 2593109}]}]), field="history"))
    assert [isinstance(read, Broken) and read.set_aside for read in declined] == [True]


@pytest.mark.parametrize(
    ("said", "kind", "wish"),
    [
        ({"body": " Stop. "}, "text", Wish.STOP),
        ({"text": "STOP"}, "button", Wish.STOP),
        ({"body": "“STOP”"}, "text", Wish.STOP),
        ({"body": "Opt out."}, "text", Wish.STOP),
        ({"body": "'Cancel'"}, "text", None),
        ({"body": "start"}, "text", Wish.START),
        ({"body": "Please stop the drops?"}, "text", None),
        ({"body": "Yes"}, "text", None),
        ({"text": "Cancel"}, "button", None),
        ({"button_reply": {"title": "Stop"}}, "interactive", None),
    ],
)
def test_who_does_not_want_messages(said: Any, kind: str, wish: Wish | None) -> None:
    found = [read for read in heard(of(message(1, kind, said))) if isinstance(read, Wished)]
    assert [read.wish for read in found] == ([wish] if wish else [])
    for read in found:
        assert (read.who.value, read.own, read.who.display) == (f"+{ANA}", OWN, "")
    echo = {**message(1, kind, said), "from": DESK, "to": ANA}
    (alone,) = heard(body(value(message_echoes=[echo])))
    assert isinstance(alone, Message)


def test_a_retry_in_other_groups_is_the_same() -> None:
    each = [message(1), message(2, "image", {"id": "803"}), message(3, "hologram", {})]
    each += [message(4, "reaction", {}), message(5, said={"body": "stop"})]
    contacts = [{"profile": {"name": "Ana Prado"}, "wa_id": ANA}]

    def all_of(*groups: list[dict[str, Any]]) -> list[str]:
        changes = [value(contacts=contacts, messages=list(group)) for group in groups]
        return sorted(map(repr, heard(body(*changes))))

    together = all_of(each)
    for order in list(permutations(each))[::17]:
        assert all_of(list(order[:2]), list(order[2:])) == together
        assert all_of(*([one] for one in order)) == together

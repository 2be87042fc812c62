"""Messages that Meta tells of more than once, or a phone as well."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

from threadwell.channels.live import File
from threadwell.channels.whatsapp_cloud.message import Beside, read_message
from threadwell.intake import verify
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OWN = Address(AddressKind.PHONE, "+12125550180")
ANA = "12125550111"
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def told(kind: str, number: int = 1, **said: Any) -> Message:
    """A message as a delivery tells of it, with the content of its file where it has one."""
    record = {"from": ANA, "id": f"wamid.T{number}", "timestamp": "1714564800", "type": kind}
    read = read_message({**record, **said}, Beside(OWN, {}, NOON, "US"))
    assert not isinstance(read, tuple)
    if isinstance(read, Message):
        return read
    file = File(b"picture", "image/jpeg")
    (attachment,) = read.message.attachments
    whole = replace(attachment, content=file.content, note="")
    return replace(read.message, attachments=(whole,))


def test_the_file_of_a_chat_of_before_completes_it(practice: Any) -> None:
    place = told("media_placeholder")
    whole = told("image", image={"id": "801", "mime_type": "image/jpeg", "caption": "My hand"})
    (file,) = whole.attachments
    bare = replace(whole, attachments=(replace(file, content=None, note="is away"),))
    ends = []
    for order in permutations((place, bare, whole)):
        one = type(practice)()
        one.patient("ana", f"+{ANA}", given="Ana")
        assert [one.take(copy).counts.new for copy in order] == [1, 0, 0]
        (child,) = [each for each in one.live("Communication") if "partOf" in each]
        ends.append({name: child.get(name) for name in ("id", "sent", "payload", "note")})
        assert one.run(verify(one.store, DEFAULT_PROJECT)) == []
    assert ends[0]["payload"][0] == {"contentString": "My hand"}
    assert ends[0]["payload"][1]["contentAttachment"]["contentType"] == "image/jpeg"
    assert ends[0]["note"] is None
    assert all(end == ends[0] for end in ends)


def test_what_is_not_handed_over_has_a_place(practice: Any) -> None:
    practice.patient("ana", f"+{ANA}", given="Ana")
    assert practice.take(told("unsupported", errors=[{"code": 131051}])).counts.new == 1
    (child,) = [each for each in practice.live("Communication") if "partOf" in each]
    assert [note["text"] for note in child["note"]] == [
        "WhatsApp does not hand over what it says (error 131051)"
    ]


def test_a_chat_from_a_phone_is_held_beside_the_one_that_is_there(practice: Any) -> None:
    practice.patient("ana", f"+{ANA}", given="Ana")
    came = told("text", text={"body": "Is the clinic open?"})
    exported = replace(came, channel="whatsapp", external_id="5f" * 16, thread_hint=f"+{ANA}")
    report = practice.take(came, exported)
    assert (report.counts.new, report.reasons) == (1, {"suspected-duplicate": 1})

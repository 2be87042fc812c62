"""The channel reads what its README says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from threadwell.app import channels
from threadwell.channels import ReadOptions, read_path
from threadwell.channels.channel import NeedsZone
from threadwell.channels.telegram import CHANNEL
from threadwell.messages import Address, AddressKind, Broken, Message, looks
from threadwell.messages.wordings import original_of

from .conftest import ANA, CLINIC, LEE, Make, account, chat, said

OFFICE = Address(AddressKind.PHONE, "+12075550100")
OPTIONS = ReadOptions(None, (OFFICE,))


def read(path: Path, options: ReadOptions = OPTIONS) -> list[Message | Broken]:
    return list(read_path(path, options=options, channels=channels()))


def messages(path: Path, options: ReadOptions = OPTIONS) -> list[Message]:
    items = read(path, options)
    assert all(isinstance(item, Message) for item in items), items
    return [item for item in items if isinstance(item, Message)]


def only(export: Make, record: Any) -> Message:
    (one,) = messages(export(chat(record)))
    return one


def test_a_message_has_its_people_its_time_and_its_chat(export: Make) -> None:
    path = export(chat(said(1, "My cough is back"), said(2, "Any fever?", CLINIC)))
    first, second = messages(path)
    assert (first.channel, first.medium, first.thread_hint) == ("telegram", "APPWRIT", ANA)
    assert (first.sender.value, first.sender.display) == ("telegram:user701", "Ana Prado")
    assert (first.recipients, second.sender) == ((OFFICE,), OFFICE)
    assert [one.value for one in second.recipients] == ["telegram:user701"]
    assert first.sent == datetime(2024, 3, 5, 15, 0, 1, tzinfo=UTC)
    assert (first.text, first.wall, first.notes) == ("My cough is back", None, ())
    assert first.external_id.startswith("user701:1:")


def test_whose_export_it_is_stands_in_that_of_an_account(export: Make) -> None:
    group = chat(said(5, "hi", LEE), said(6, "hello", CLINIC), kind="private_group", id_=45)
    path = export(account(chat(said(1, "one")), group, left=(chat(said(9, "two", LEE), id_=702),)))
    one, hi, hello, two = messages(path)
    assert [one.sender.value for one in (one, hi, two)] == [
        f"telegram:{w}" for w in (ANA, LEE, LEE)
    ]
    assert hello.sender == OFFICE
    assert [each.thread_hint for each in (one, hi, two)] == [ANA, "chat45", LEE]
    assert {each.recipients for each in (one, hi, two)} == {(OFFICE,)}


def test_an_owner_whom_the_practice_has_named_is_themselves(export: Make) -> None:
    doctor = Address(AddressKind.OTHER, f"telegram:{CLINIC}")
    path = export(chat(said(1, "hi"), said(2, "hello", CLINIC)))
    first, second = messages(path, ReadOptions(None, (OFFICE, doctor)))
    assert (first.recipients, second.sender) == ((doctor,), doctor)
    nobody_named = messages(path, ReadOptions(None))
    assert nobody_named[1].sender.value == "telegram:owner"


def test_an_answer_names_what_it_answers(export: Make) -> None:
    first, second, third = messages(
        export(
            chat(
                said(1, "Since when?", CLINIC),
                said(2, "Sunday", reply_to_message_id=1),
                said(3, "there", reply_to_message_id=1, reply_to_peer_id="channel5"),
            )
        )
    )
    assert second.in_reply_to == first.external_id
    assert third.in_reply_to == ""


@pytest.mark.parametrize(
    ("more", "text", "files"),
    [
        ({"text": ["see ", {"type": "bold", "text": "this"}, "!"]}, "see this!", 0),
        (
            {"text": [{"type": "text_link", "text": "form", "href": "https://example.org/f"}]},
            "form (https://example.org/f)",
            0,
        ),
        ({"text": "", "text_entities": [{"type": "plain", "text": "in here"}]}, "in here", 0),
        (
            {"text": [{"type": "strikethrough", "text": "10 mg"}, " 5 mg"]},
            "~~10 mg~~ 5 mg",
            0,
        ),
        ({"text": [{"type": "spoiler", "text": "10 mg"}]}, "10 mg", 0),
        ({"text": "", "file": "s.webp", "media_type": "sticker", "sticker_emoji": "👍"}, "👍", 1),
        ({"text": "", "location_information": {"latitude": 1.5, "longitude": 2}}, "1.5, 2", 0),
        (
            {
                "text": "",
                "contact_information": {"first_name": "Bo", "phone_number": "+12075550122"},
            },
            "Bo +12075550122",
            0,
        ),
        (
            {
                "text": "",
                "poll": {"question": "Better?", "answers": [{"text": "yes", "voters": 1}]},
            },
            "Better?\n- yes",
            0,
        ),
    ],
)
def test_words_are_found_wherever_they_stand(
    export: Make, more: dict[str, Any], text: str, files: int
) -> None:
    one = only(export, {**said(1, ""), **more})
    assert (one.text, len(one.attachments)) == (text, files)


def test_what_is_struck_is_noted_and_in_no_id(export: Make) -> None:
    """So that a message is known that an earlier build has read without it."""
    plain = only(export, said(1, "10 mg 5 mg"))
    struck = only(export, said(1, [{"type": "strikethrough", "text": "10 mg"}, " 5 mg"]))
    assert (struck.new_text, struck.notes) == ("~~10 mg~~ 5 mg", (looks.NOTE,))
    assert (struck.external_id, plain.notes) == (plain.external_id, ())


def test_files_lie_beside_the_export(export: Make) -> None:
    path = export(
        chat(
            said(1, "", photo="photos/knee.jpg"),
            said(2, "", file="files/plan.pdf", file_name="Plan 2.pdf", mime_type="application/pdf"),
            said(3, "", photo="(File not included. Change data exporting settings to download.)"),
            said(4, "", file="(File exceeds maximum size. …)", media_type="voice_message"),
            said(5, "", file="../../secret.txt"),
        )
    )
    for name in ("photos/knee.jpg", "files/plan.pdf", "photos/knee_thumb.jpg"):
        (path.parent / name).parent.mkdir(exist_ok=True)
        (path.parent / name).write_bytes(name.encode())
    (path.parent.parent / "secret.txt").write_text("secret")
    items = messages(path)
    found = [one.attachments[0] for one in items]
    assert [(one.filename, one.content_type, one.content) for one in found] == [
        ("knee.jpg", "image/jpeg", b"photos/knee.jpg"),
        ("Plan 2.pdf", "application/pdf", b"files/plan.pdf"),
        ("photo", "image/jpeg", None),
        ("file", "audio/ogg", None),
        ("secret.txt", "text/plain", None),
    ]
    assert [one.note for one in found[2:]] == [
        "was left out of the export",
        "was too large for the export",
        "is not beside the export",
    ]
    whole = read(path.parent)
    assert [one.source for one in whole if isinstance(one, Broken)] == ["knee_thumb.jpg"]


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"edited": "2024-03-05T11:00:00", "edited_unixtime": "1709654400"}, "edited: this"),
        ({"forwarded_from": "Bo"}, "forwarded: somebody"),
        ({"forwarded_from": None}, "forwarded: somebody"),
        ({"self_destruct_period_seconds": 10}, "could be seen"),
    ],
)
def test_what_is_odd_about_a_message_is_noted(
    export: Make, more: dict[str, Any], note: str
) -> None:
    assert only(export, said(1, "hi", **more)).notes[0].startswith(note)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"edited": "2024-03-05T11:00:00", "edited_unixtime": "1709654400"}, 3599.0),
        ({"edited": "2024-03-05T11:00:00"}, 1e-6),
        ({"edited_unixtime": "9"}, 1e-6),
        ({"edited_unixtime": "x"}, 1e-6),
    ],
)
def test_an_edited_message_is_another_wording(
    export: Make, told: dict[str, Any], seconds: float
) -> None:
    first, now = only(export, said(1, "at 5")), only(export, said(1, "at 6", **told))
    back = only(export, said(1, "at 5", **told))
    assert (first.edited, now.sent) == (None, first.sent)
    assert now.edited == first.sent + timedelta(seconds=seconds)
    ids = [one.external_id for one in (first, now, back)]
    assert len(set(ids)) == 3
    assert {original_of(one) for one in ids} == {"user701:1"}


def test_accounts_that_are_gone_and_ids_of_before_2021(export: Make) -> None:
    gone = {**chat(said(1, "hi", "user701", **{"from": None})), "name": None}
    old = said(2, "hello", from_id=701)
    del old["date_unixtime"]
    (one,) = messages(export(gone))
    assert (one.sender.value, one.sender.display) == ("telegram:user701", "")
    path = export(chat(old))
    with pytest.raises(NeedsZone):
        read(path)
    (earlier,) = messages(path, ReadOptions(ZoneInfo("America/New_York"), (OFFICE,)))
    assert earlier.sender.value == one.sender.value
    assert earlier.sent == datetime(2024, 3, 5, 15, tzinfo=UTC)
    assert earlier.wall == datetime(2024, 3, 5, 10)  # noqa: DTZ001
    assert earlier.notes == ("the time was written without a zone",)
    (now,) = messages(export(chat(said(2, "hello", date_unixtime="1709650800"))))
    assert earlier.external_id == now.external_id


def test_the_id_is_the_same_in_every_export_of_an_account(export: Make) -> None:
    one, other = said(1, "hi"), said(2, "hello", CLINIC)
    expected = [item.external_id for item in messages(export(chat(one, other)))]
    renamed = {**one, "from": "Ana P.", "photo": "(File not included. …)"}
    for content in (
        account(chat(renamed, other)),
        {**chat(one, other, said(3, "more")), "name": None},
        json.dumps(chat(one, other)).encode(),
    ):
        assert [each.external_id for each in messages(export(content))][:2] == expected
    ids = {item.external_id for item in messages(export(chat(one, other, id_=702)))}
    assert ids.isdisjoint(expected)
    assert only(export, said(1, "hi!")).external_id not in expected


def test_a_group_that_becomes_a_supergroup_keeps_its_messages(export: Make) -> None:
    (before,) = messages(export(chat(said(7, "hi"), kind="private_group", id_=45)))
    shifted = {**said(7, "hi"), "id": 7 - 1_000_000_000}
    after, later = messages(
        export(chat(shifted, said(1, "here"), kind="private_supergroup", id_=99))
    )
    assert after.external_id == before.external_id
    assert later.external_id.startswith("channel99:1:")


def test_who_came_later_or_was_taken_out_is_no_recipient(export: Make) -> None:
    service = {"type": "service", "date": "2024-03-05T10:00:00", "date_unixtime": "1709650900"}
    path = export(
        chat(
            said(1, "one"),
            {**service, "id": 2, "action": "invite_members", "members": ["Lee", None]},
            said(3, "two", CLINIC),
            said(4, "three", LEE),
            {**service, "id": 5, "action": "remove_members", "members": ["Ana Prado"]},
            said(6, "four", LEE),
            kind="private_group",
        )
    )
    to = [[one.value.rpartition(":")[2] for one in item.recipients] for item in messages(path)]
    assert to == [[CLINIC], [ANA, LEE], [ANA, CLINIC], [CLINIC]]


@pytest.mark.parametrize(
    ("record", "reason", "aside"),
    [
        ({"id": 1, "type": "unsupported"}, "did not know", False),
        ({**said(1, "x"), "type": "sorcery"}, "not known", False),
        ({**said(1, "x"), "from": None, "from_id": None}, "nobody", False),
        ({**said(1, "x"), "date_unixtime": "0"}, "its date", False),
        ({**said(1, "x"), "date_unixtime": "9" * 15}, "its date", False),
        ({"id": 1, "type": "message", "from_id": ANA, "text": "x"}, "its date", False),
        (said(1, "  "), "nothing in it", False),
    ],
)
def test_what_is_no_message_is_kept_with_the_reason(
    export: Make, record: dict[str, Any], reason: str, aside: bool
) -> None:
    broken, sound = read(export(chat(record, said(2, "sound"))))
    assert isinstance(broken, Broken)
    assert isinstance(sound, Message)
    assert reason in broken.reason
    assert broken.set_aside is aside
    assert json.loads(broken.content) == record


def test_notes_to_oneself_were_sent_to_nobody(export: Make) -> None:
    mine = chat(said(1, "buy milk", CLINIC), kind="saved_messages", id_=900)
    del mine["name"]
    (broken,) = read(export(account(mine)))
    assert isinstance(broken, Broken)
    assert broken.set_aside


def test_escapes_that_are_no_json_are_read(export: Make) -> None:
    raw = json.dumps(chat(said(1, "a|b"), said(2, "c|d")), indent=1)
    raw = raw.replace("a|b", r"a\x1Bb\\x1Bc").replace("c|d", r"c\\\x0Ad")
    assert [one.text for one in messages(export(raw.encode()))] == ["a\x1bb\\x1Bc", "c\\\nd"]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("whole", [False, True], ids=["chat", "account"])
def test_an_export_that_breaks_off_keeps_what_came_before(
    export: Make, indent: int | None, whole: bool
) -> None:
    one = chat(*(said(n, f"text {n}") for n in range(1, 4)))
    raw = json.dumps(account(one) if whole else one, indent=indent)
    items = read(export(raw[: raw.index("text 3") + 3].encode()))
    assert [getattr(item, "text", "") for item in items] == ["text 1", "text 2", ""]
    assert isinstance(items[2], Broken)
    assert items[2].content.endswith(b"tex")


def test_a_record_that_is_damaged_costs_no_other_and_no_chat(export: Make) -> None:
    raw = json.dumps(
        account(chat(*(said(n, f"text {n}") for n in range(1, 4))), chat(said(9, "last", LEE))),
        indent=1,
    ).replace('text 2"', "text 2")
    items = read(export(raw.encode()))
    assert [getattr(item, "text", "") for item in items] == ["text 1", "", "text 3", "last"]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"\xef\xbb\xbf" + json.dumps(chat(said(1, "a"))).encode(), ["a"]),
        (json.dumps(chat(said(1, "a"))).encode("utf-16"), ["a"]),
        (
            json.dumps(chat(said(1, "caf\u00e9")), ensure_ascii=False).encode("latin-1"),
            ["caf\ufffd"],
        ),
        (json.dumps(chat(1, None, [], said(1, "a"))).encode(), ["", "", "", "a"]),
        (json.dumps({**chat(said(1, "a")), "id": None, "name": None}).encode(), ["a"]),
        (json.dumps({**chat(), "messages": {}}).encode(), [""]),
        (b'{"type": "personal_chat", "messages": [{"a":' + b"[" * 200_000, [""]),
    ],
    ids=["mark", "utf-16", "latin", "values", "no chat", "no list", "deep"],
)
def test_ugly_files(export: Make, content: bytes, texts: list[str]) -> None:
    items = read(export(content))
    assert [getattr(item, "text", "") for item in items] == texts


def test_nothing_that_is_no_export_is_lost(export: Make) -> None:
    for content in (b"", b"[1]", b'{"type": ', b"no"):
        (broken,) = CHANNEL.read(export(content), OPTIONS)
        assert isinstance(broken, Broken)
        assert broken.content == content


def test_it_is_known_by_its_content(export: Make) -> None:
    for content in (chat(said(1, "a")), account(), {"chats": {"about": "", "list": [chat()]}}):
        assert CHANNEL.sniff(json.dumps(content, indent=1).encode(), Path("any.txt"))
    for other in (b"[]", b'{"messages": []}', b'{"type": "message"}', b'{"chats": 5}', b"\xff"):
        assert not CHANNEL.sniff(other, Path("result.json"))


def test_pages_for_people_say_that_there_is_another_form(export: Make) -> None:
    page = "<!DOCTYPE html><html><head><title>Exported Data</title></head><body>Telegram</body>"
    (broken,) = read(export(page.encode(), "messages.html"))
    assert isinstance(broken, Broken)
    assert "export it as JSON" in broken.reason


def test_nobody_of_a_crowd_is_a_patient(export: Make) -> None:
    crowd = (said(n, "hi", f"user{n}") for n in range(1, 2_503))
    items = read(export(json.dumps(chat(*crowd, kind="public_supergroup")).encode()))
    assert {item.reason for item in items if isinstance(item, Broken)} == {
        "more people are in the chat than care has in one place"
    }

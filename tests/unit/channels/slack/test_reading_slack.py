"""The channel reads what its README says."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from threadwell.app import channels
from threadwell.channels import ReadOptions, read_path
from threadwell.channels.slack import CHANNEL
from threadwell.messages import Broken, Message, looks
from threadwell.messages.wordings import original_of

from .conftest import ANA, CHANNELS, LEE, OKAFOR, PEOPLE, Make, said

OPTIONS = ReadOptions(None)
DAY = "care/2024-03-05"


def read(path: Path) -> list[Message | Broken]:
    return list(read_path(path, options=OPTIONS, channels=channels()))


def messages(path: Path) -> list[Message]:
    items = read(path)
    assert all(isinstance(item, Message) for item in items), items
    return [item for item in items if isinstance(item, Message)]


def only(export: Make, record: dict[str, Any], **lists: Any) -> Message:
    (message,) = messages(export({DAY: [record]}, **lists))
    return message


def refusals(path: Path) -> list[tuple[str, bool]]:
    return [(item.reason, item.set_aside) for item in read(path) if isinstance(item, Broken)]


def test_a_message_has_its_people_its_time_and_its_channel(export: Make) -> None:
    one = only(export, said("1709650800.000107", "My cough is back"))
    assert (one.channel, one.medium, one.thread_hint) == ("slack", "APPWRIT", "C0CARE0001")
    assert one.external_id.startswith("C0CARE0001:1709650800.000107:")
    assert one.sent == datetime(2024, 3, 5, 15, 0, 0, 107, tzinfo=UTC)
    assert (one.sender.value, one.sender.display) == ("ana@example.org", "Ana Prado")
    assert [to.value for to in one.recipients] == ["m.okafor@clinic.example.com"]
    assert (one.text, one.new_text, one.notes) == ("My cough is back", "My cough is back", ())


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("5 &lt; 6 &amp;&amp; 7 &gt; 2", "5 < 6 && 7 > 2"),
        ("&amp;lt; is an entity", "&lt; is an entity"),
        ("ask <@U0OKAFOR00>", "ask @Miriam Okafor"),
        ("ask <@U0OKAFOR00|mokafor>", "ask @Miriam Okafor"),
        ("ask <@U0NOBODY00>", "ask @U0NOBODY00"),
        ("see <#C0CARE0001>", "see #care"),
        ("see <#C0CARE0001|care-team>", "see #care-team"),
        ("see <#C0ELSEWHERE>", "see #C0ELSEWHERE"),
        ("<!here> or <!channel>", "@here or @channel"),
        ("<!subteam^S1|@nurses>", "@nurses"),
        ("on <!date^1709650800^{date}|March 5>", "on March 5"),
        ("<https://example.org/a?b=1&amp;c=2>", "https://example.org/a?b=1&c=2"),
        ("<https://example.org/a|the form>", "the form (https://example.org/a)"),
        ("<mailto:ana@example.org|ana@example.org>", "ana@example.org"),
        ("<tel:+12075550111|+1 207-555-0111>", "+1 207-555-0111"),
        ("a < b", "a < b"),
        ("get <https://files.example.com/f.pdf?t=xoxe-1-abc|f.pdf>", None),
    ],
)
def test_marks_and_entities_become_what_was_seen(export: Make, raw: str, shown: str | None) -> None:
    text = only(export, said("1709650800.000100", raw)).text
    assert "xoxe" not in text
    if shown is not None:
        assert text == shown


SECTION = {"type": "rich_text_section", "elements": [{"type": "text", "text": "in a block"}]}
STRUCK = {
    "type": "rich_text_section",
    "elements": [
        {"type": "text", "text": "10 mg", "style": {"strike": True}},
        {"type": "text", "text": " 5 mg", "style": {"bold": True}},
    ],
}


def test_what_is_struck_is_noted_and_in_no_id(export: Make) -> None:
    """So that a message is known that an earlier build has read without it."""
    plain = only(export, said("1709650800.000100", "10 mg 5 mg"))
    block = {"text": "", "blocks": [{"type": "rich_text", "elements": [STRUCK]}]}
    struck = only(export, {**said("1709650800.000100", ""), **block})
    assert (struck.new_text, struck.notes) == ("~~10 mg~~ 5 mg", (looks.NOTE,))
    assert struck.external_id == plain.external_id


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"text": "said", "blocks": [{"type": "rich_text", "elements": [SECTION]}]}, "said"),
        ({"text": "", "blocks": [{"type": "rich_text", "elements": [SECTION]}]}, "in a block"),
        ({"text": "", "blocks": [{"type": "rich_text", "elements": [STRUCK]}]}, "~~10 mg~~ 5 mg"),
        ({"text": "~10 mg~ 5 mg", "blocks": [{"elements": [STRUCK]}]}, "~10 mg~ 5 mg"),
        ({"text": "", "blocks": [{"type": "new", "text": {"type": "mrkdwn", "text": "x"}}]}, "x"),
        (
            {"text": "", "attachments": [{"fallback": "[none]", "title": "SMS", "text": "Help"}]},
            "SMS\nHelp",
        ),
        ({"text": "", "attachments": [{"fallback": "only this"}]}, "only this"),
        (
            {"text": "new", "attachments": [{"fields": [{"title": "From", "value": "Ana"}]}]},
            "new\nFrom: Ana",
        ),
        (
            {
                "text": "look",
                "attachments": [{"from_url": "https://example.org", "text": "A page"}],
            },
            "look",
        ),
        (
            {"text": "see", "attachments": [{"is_share": True, "text": "it hurts\nmuch"}]},
            "see\n\n> it hurts\n> much",
        ),
    ],
)
def test_words_are_found_wherever_they_stand(export: Make, more: dict[str, Any], text: str) -> None:
    assert only(export, {**said("1709650800.000100", ""), **more}).text == text


def test_what_is_shared_from_elsewhere_is_not_what_its_sender_wrote_now(export: Make) -> None:
    shared = [{"is_msg_unfurl": True, "text": "it hurts"}]
    one = only(export, said("1709650800.000100", "please answer", OKAFOR, attachments=shared))
    assert one.new_text == "please answer"


@pytest.mark.parametrize(
    ("record", "sender", "note"),
    [
        ({"bot_id": "B1", "username": "+1 207-555-0111"}, "+12075550111", "in the name"),
        ({"bot_id": "B1", "username": "ana@example.org"}, "ana@example.org", "in the name"),
        ({"bot_id": "B1", "username": "Clinic bot"}, "slack:B1:Clinic bot", "by an app"),
        ({"bot_id": "B1"}, "slack:B1", "by an app"),
        ({"username": "hook"}, "slack:app:hook", "by an app"),
        ({"bot_id": "B1", "user": LEE}, f"slack:{LEE}", "by an app"),
        ({"bot_id": "B1", "username": "411"}, "slack:B1:411", "by an app"),
    ],
)
def test_apps_are_nobody_but_the_address_that_they_name(
    export: Make, record: dict[str, Any], sender: str, note: str
) -> None:
    base = {"type": "message", "subtype": "bot_message", "ts": "1709650800.000100", "text": "hi"}
    one = only(export, {**base, **record})
    assert one.sender.value == sender
    assert note in one.notes[0]


def test_who_is_in_no_list_has_what_their_records_say(export: Make) -> None:
    profile = {"real_name": "Pat Partner"}
    one = only(export, said("1709650800.000100", "hi", "U0PARTNER0", user_profile=profile))
    assert (one.sender.value, one.sender.display) == ("slack:U0PARTNER0", "Pat Partner")
    assert {to.value for to in one.recipients} == {"ana@example.org", "m.okafor@clinic.example.com"}


def test_a_reply_answers_the_root_of_its_thread_of_another_day(export: Make) -> None:
    root = "1709650800.000100"
    reply = said("1709740000.000100", "since Sunday", thread_ts=root, parent_user_id=OKAFOR)
    shown = said(
        "1709740001.000100", "it is red", thread_ts=root, subtype="thread_broadcast", root={}
    )
    path = export(
        {
            DAY: [said(root, "Since when?", OKAFOR, thread_ts=root, replies=[])],
            "care/2024-03-06": [said("1709735000.000100", "aside"), reply, shown],
        }
    )
    first, aside, *replies = messages(path)
    assert (first.in_reply_to, aside.in_reply_to) == ("", "")
    assert [one.in_reply_to for one in replies] == [first.external_id] * 2
    assert {one.thread_hint for one in messages(path)} == {"C0CARE0001"}


def test_one_time_in_two_channels_is_two_messages(export: Make) -> None:
    lists = {"dms": [{"id": "D0DIRECT01", "members": [ANA, LEE]}]}
    one = said("1709650800.000100", "ok")
    direct, care = messages(export({DAY: [one], "D0DIRECT01/2024-03-05": [one]}, **lists))
    assert direct.thread_hint == "D0DIRECT01"
    assert care.external_id != direct.external_id
    assert [to.value for to in direct.recipients] == [f"slack:{LEE}"]


def test_the_id_goes_by_the_channel_and_not_by_its_name(export: Make) -> None:
    record = said("1709650800.000100", "ask <@U0OKAFOR00> in <#C0CARE0001|care>")
    before = only(export, record, name="before")
    renamed = [{**CHANNELS[0], "name": "care-2023"}, {"id": "C0NEW00001", "name": "care"}]
    people = [{**PEOPLE[1], "profile": {"real_name": "Miriam O. Reyes"}}, PEOPLE[0]]
    again = said("1709650800.000100", "ask <@U0OKAFOR00> in <#C0CARE0001|care-2023>")
    path = export({"care-2023/2024-03-05": [again]}, name="after", people=people, channels=renamed)
    (after,) = messages(path)
    assert after.external_id == before.external_id
    assert after.text != before.text
    (other,) = messages(export({DAY: [record]}, name="new", channels=renamed))
    assert other.external_id != before.external_id


def test_who_came_later_or_has_left_is_no_recipient(export: Make) -> None:
    joins = said("1709650900.000100", "has joined", LEE, subtype="channel_join")
    leaves = said("1709651000.000100", "has left", OKAFOR, subtype="channel_leave")
    path = export(
        {
            DAY: [
                said("1709650800.000100", "one"),
                joins,
                said("1709650950.000100", "two"),
                leaves,
                said("1709651100.000100", "three"),
            ]
        }
    )
    to = [[one.value for one in message.recipients] for message in messages(path)]
    okafor, lee = "m.okafor@clinic.example.com", f"slack:{LEE}"
    assert to == [[okafor], [okafor, lee], [lee]]


@pytest.mark.parametrize(
    "subtype", ["channel_topic", "pinned_item", "huddle_thread", "bot_add", "group_join"]
)
def test_what_slack_tells_of_a_channel_is_no_message(export: Make, subtype: str) -> None:
    path = export({DAY: [said("1709650800.000100", "told", subtype=subtype)]})
    assert read(path) == []


@pytest.mark.parametrize(
    ("record", "reason", "aside"),
    [
        (said("1709650800.000100", "This message was deleted.", subtype="tombstone"), "del", True),
        (said("1709650800.000100", "", subtype="message_deleted"), "deleted", True),
        (said("1709650800.000100", "nice", subtype="file_comment"), "comment on a file", True),
        (said("1709650800.000100", "??", subtype="sorcery"), "not known", False),
        (said("1709650800.000100", "??", subtype=["list"]), "not known", False),
        ({**said("1709650800.000100", "x"), "type": "event"}, "not known", False),
        (said("1709650800", "x"), "time (ts)", False),
        ({**said("", "x"), "ts": 1709650800.0001}, "time (ts)", False),
        ({"type": "message", "ts": "1709650800.000100", "text": "x"}, "nobody", False),
        (said("1709650800.000100", "  "), "empty", False),
    ],
)
def test_what_is_no_message_is_kept_with_the_reason(
    export: Make, record: dict[str, Any], reason: str, aside: bool
) -> None:
    path = export({DAY: [record, said("1709650900.000100", "sound")]})
    broken, sound = read(path)
    assert isinstance(broken, Broken)
    assert isinstance(sound, Message)
    assert reason in broken.reason
    assert broken.set_aside is aside
    assert json.loads(broken.content) == record
    assert broken.source == "care/2024-03-05.json, record 1 (byte 6)"


def test_a_change_tells_what_was_said_before(export: Make) -> None:
    before, after = said("1709650800.000100", "at 5"), said("1709650800.000100", "at 6")
    after["edited"] = {"user": ANA, "ts": "1709650850.000000"}
    log = {"type": "message", "ts": "1709650850.000200", "hidden": True}
    path = export(
        {
            DAY: [
                after,
                {**log, "subtype": "message_changed", "previous_message": before, "message": after},
                {**log, "subtype": "message_deleted", "previous_message": said("1.1", "gone")},
            ]
        }
    )
    now, was, again, gone = messages(path)
    assert (now.text, was.text, gone.text) == ("at 6", "at 5", "gone")
    assert now.external_id == again.external_id != was.external_id
    assert original_of(now.external_id) == original_of(was.external_id)
    assert [one.edited for one in (now, was, gone)] == [
        datetime(2024, 3, 5, 15, 0, 50, tzinfo=UTC),
        None,
        None,
    ]
    assert [one.taken_back for one in (now, was, gone)] == [False, False, True]
    assert now.notes[0].startswith("edited in Slack")


@pytest.mark.parametrize(
    "edited", [{"user": ANA}, {"user": ANA, "ts": "x"}, {"ts": "1.1"}, True, "yes"]
)
def test_an_edit_of_unknown_time_follows_its_message(export: Make, edited: object) -> None:
    record = {**said("1709650800.000100", "at 6"), "edited": edited}
    (now,) = messages(export({DAY: [record]}))
    assert now.edited == now.sent + timedelta(microseconds=1)


@pytest.mark.parametrize("kind", ["tombstone", "message_deleted"])
def test_a_deleted_message_is_known_by_its_answers(export: Make, kind: str) -> None:
    root = "1709650800.000100"
    left = said(root, "This message was deleted.", "USLACKBOT", subtype=kind)
    if kind == "message_deleted":
        left |= {"ts": "1709650900.000200", "deleted_ts": root}
    answer = said("1709650850.000100", "when?", thread_ts=root, parent_user_id=ANA)
    gone, _ = sorted(messages(export({DAY: [left, answer]})), key=lambda one: one.sent)
    (before,) = messages(export({DAY: [said(root, "at 5")]}))
    assert (gone.text, gone.taken_back, gone.sent) == ("", True, before.sent)
    assert gone.sender.key == before.sender.key
    assert original_of(gone.external_id) == original_of(before.external_id)
    assert gone.external_id != before.external_id


def test_files_are_named_and_there_if_a_tool_has_fetched_them(export: Make) -> None:
    files = [
        {
            "id": "F1",
            "name": "knee.png",
            "mimetype": "image/png",
            "url_private": "https://x?t=xoxe",
        },
        {"id": "F2", "mode": "tombstone"},
        {"id": "F3", "name": "old.pdf", "mode": "hidden_by_limit", "mimetype": "application/pdf"},
        {"id": "F4", "title": "Plan", "mode": "external"},
        {"id": "../../x", "name": "y"},
    ]
    path = export({DAY: [said("1709650800.000100", "", files=files)]})
    upload = path / "__uploads" / "F1" / "knee.png"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"png")
    (one,) = messages(path)
    assert [(each.filename, each.content, each.note) for each in one.attachments] == [
        ("knee.png", b"png", ""),
        ("F2", None, "was deleted in Slack"),
        ("old.pdf", None, "is older than what the workspace's plan shows"),
        ("Plan", None, "is kept outside of Slack"),
        ("y", None, "is not in the export, which has only links to files"),
    ]
    old = said("1709650800.000200", "", subtype="file_share", file={"id": "F1", "name": "a.txt"})
    assert only(export, old, name="old").attachments[0].filename == "a.txt"


def test_no_secret_is_kept(export: Make) -> None:
    record = said("1709650800.000100", "x", subtype="odd", files=[{"url": "https://x?t=xoxe-12-a"}])
    (broken,) = read(export({DAY: [record]}))
    assert isinstance(broken, Broken)
    assert b"xoxe-12" not in broken.content


def test_a_record_that_is_damaged_costs_no_other(export: Make) -> None:
    three = [said(f"1709650800.00010{n}", f"text {n}") for n in range(3)]
    for way, content in {
        "by line": json.dumps(three, indent=4).replace('text 1"', "text 1"),
        "compact": json.dumps(three).replace('text 1"', "text 1"),
    }.items():
        path = export({DAY: content.encode()}, name=way)
        items = read(path)
        assert [getattr(one, "text", "") for one in items] == ["text 0", "", "text 2"]
        assert isinstance(items[1], Broken)
        assert b"text 1" in items[1].content
        assert b"text 0" not in items[1].content


@pytest.mark.parametrize("indent", [None, 4])
def test_a_day_that_breaks_off_keeps_what_came_before(export: Make, indent: int | None) -> None:
    whole = json.dumps([said(f"1709650800.00010{n}", f"text {n}") for n in range(3)], indent=indent)
    cut = whole.index("text 2") + 3
    items = read(export({DAY: whole[:cut].encode()}))
    assert [getattr(one, "text", "") for one in items] == ["text 0", "text 1", ""]
    assert isinstance(items[2], Broken)
    assert items[2].content.endswith(b"tex")
    missing_end = read(export({DAY: whole.rstrip("]\n").encode()}, name="end"))
    assert [getattr(one, "text", "") for one in missing_end] == ["text 0", "text 1", "text 2", ""]


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (b"", ["no list"]),
        (b"[]", []),
        (b"{}", ["damaged"]),
        (b"\xef\xbb\xbf" + json.dumps([said("1.1", "a")]).encode(), ["a"]),
        (json.dumps([said("1.1", "a")]).encode("utf-16"), ["a"]),
        (
            json.dumps([said("1.1", "caf\u00e9")], ensure_ascii=False).encode("latin-1"),
            ["caf\ufffd"],
        ),
        (b'[{"type":"message","user":"U","ts":"1.1","text":"\\ud83d"}]', ["\ufffd"]),
        (b'[{"type":"message","user":"U","ts":"1.1","text":"a\x01\tb"}]', ["a\x01\tb"]),
        (b"[1, null, []]", ["damaged", "damaged", "damaged"]),
        (b'[{"a":' + b"[" * 200_000, ["damaged"]),
    ],
    ids=["empty", "none", "object", "mark", "utf-16", "latin", "half", "control", "values", "deep"],
)
def test_ugly_days(export: Make, content: bytes, outcome: list[str]) -> None:
    items = read(export({DAY: content}))
    assert len(items) == len(outcome)
    for item, expected in zip(items, outcome, strict=True):
        if isinstance(item, Message):
            assert item.text == expected
        else:
            assert expected in item.reason


def test_lists_that_are_damaged_leave_ids(export: Make) -> None:
    path = export({"D0DIRECT01/2024-03-05": [said("1.1", "hi")]}, people=b'[{"id": "U', channels=[])
    broken, message = read(path)
    assert isinstance(broken, Broken)
    assert broken.source == "users.json"
    assert isinstance(message, Message)
    assert message.sender.value == f"slack:{ANA}"


def test_a_folder_of_no_list_waits_until_it_is_known(export: Make) -> None:
    path = export({"lost/2024-03-05": [said("1.1", "hi")], DAY: [said("1.1", "hi")]})
    assert [reason for reason, _ in refusals(path)] == [
        "nothing says which conversation it is of: its folder is in no list of the export"
    ]
    named = export({"lost/2024-03-05": [said("1.1", "hi", channel="C0LOST0001")]}, name="named")
    assert messages(named)[0].thread_hint == "C0LOST0001"
    twice = [CHANNELS[0], {"id": "C0OTHER001", "name": "care"}]
    assert len(refusals(export({DAY: [said("1.1", "hi")]}, name="twice", channels=twice))) == 1


def test_nobody_of_a_crowd_is_a_patient(export: Make) -> None:
    crowd = [{**CHANNELS[0], "members": [f"U{n}" for n in range(2_501)]}]
    path = export({DAY: [said("1.1", "hi")]}, channels=crowd)
    assert "more people" in refusals(path)[0][0]


def test_it_is_known_by_its_content(export: Make, tmp_path: Path) -> None:
    path = export({DAY: [said("1.1", "hi")]})
    assert CHANNEL.sniff(b"", path)
    assert not CHANNEL.sniff(b"", path / "care")
    assert not CHANNEL.sniff(b"", tmp_path / "nowhere")
    day = path / f"{DAY}.json"
    assert CHANNEL.sniff(day.read_bytes(), Path("renamed.txt"))
    for other in (b'[{"id": "C1", "name": "a"}]', b"[]", b'{"ts": "1.1"}', b"\xff\xfe", b"From a"):
        assert not CHANNEL.sniff(other, Path("2024-03-05.json"))


def test_a_day_alone_is_read_with_the_lists_of_its_export(export: Make) -> None:
    path = export({DAY: [said("1.1", "hi")]})
    assert messages(path / f"{DAY}.json") == messages(path)


def test_an_archive_reads_as_its_folder_and_other_files_are_looked_at(
    export: Make, tmp_path: Path
) -> None:
    path = export(
        {
            DAY: [said("1.1", "hi")],
            "care/canvas_in_the_conversation": {"id": "F1"},
            "integration_logs": [{"service_id": "1"}],
        },
        dms=[],
    )
    (path / "notes.txt").write_text("something else")
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for one in sorted(path.rglob("*")):
            file.write(one, one.relative_to(path))
    message, other = read(path)
    assert isinstance(other, Broken)
    assert other.source == "notes.txt"
    zipped = read(archive)
    assert zipped[0] == message
    assert [one.source for one in zipped[1:] if isinstance(one, Broken)] == [
        "export.zip: notes.txt"
    ]

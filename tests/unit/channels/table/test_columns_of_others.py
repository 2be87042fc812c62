"""Tables of other systems, whose columns are called by other names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import threadwell
from threadwell.channels import ReadOptions
from threadwell.channels.table import CHANNEL, BadColumn, parse_columns, with_columns
from threadwell.intake import BadSetting
from threadwell.messages import Address, AddressKind, Broken, Message

#: As a phone system of clinics may deliver them: nanoseconds, opaque ids, notes between messages.
EXPORT = (
    "item_id,conversation_id,created_timestamp,Sender Phone,recipient_phone,body,kind\n"
    "ti_1,th_9,2026-03-02T09:30:05.123456789-05:00,+12075550111,+12075550100,My cough is back,SMS\n"
    "ti_2,th_9,2026-03-02T09:31:00-05:00,+12075550100,,Ask about the fever,INTERNAL_NOTE\n"
    "ti_3,th_9,2026-03-02T09:32:00Z,'+12075550100,+12075550111,Any fever?,SMS\n"
)
SAID = (
    "id=item_id", "thread=conversation_id", "sent=created_timestamp", "from=sender_phone",
    "to=Recipient Phone", "text=body", "channel=:spruce",
)  # fmt: skip
ASIDE = ("kind=internal_note",)
ANA = Address(AddressKind.PHONE, "+12075550111")
CLINIC = Address(AddressKind.PHONE, "+12075550100")


def read(
    tmp_path: Path, content: str, said: tuple[str, ...] = SAID, aside: tuple[str, ...] = ASIDE
) -> list[Message | Broken]:
    path = tmp_path / "items.csv"
    path.write_text(content)
    channel = with_columns(parse_columns(said, aside))
    return list(channel.read(path, ReadOptions(None)))


def test_a_table_is_read_by_the_names_that_were_said(tmp_path: Path) -> None:
    assert not CHANNEL.sniff(EXPORT.encode(), Path("any"))
    assert with_columns(parse_columns(SAID, ASIDE)).sniff(EXPORT.encode(), Path("any"))
    first, note, last = read(tmp_path, EXPORT)
    assert first == Message(
        channel="spruce",
        external_id="ti_1",
        sender=ANA,
        recipients=(CLINIC,),
        sent=datetime(2026, 3, 2, 14, 30, 5, 123456, tzinfo=UTC),
        text="My cough is back",
        new_text="My cough is back",
        thread_hint="th_9",
    )
    assert isinstance(note, Broken)
    assert (note.set_aside, note.reason) == (True, "of a kind that was to be set aside")
    assert b"Ask about the fever" in note.content
    assert isinstance(last, Message)
    assert (last.sender, last.recipients) == (CLINIC, (ANA,))


def test_ids_of_people_are_addresses_of_the_system(tmp_path: Path) -> None:
    content = "id,sent,who,text\n1,2026-03-02T09:30:00Z,ent_4711,Hello\n"
    (message,) = read(tmp_path, content, ("from=who", "channel=:spruce"))
    assert isinstance(message, Message)
    assert message.sender == Address(AddressKind.OTHER, "spruce:ent_4711")


def test_a_column_that_is_ours_by_name_may_be_another_one(tmp_path: Path) -> None:
    content = "id,sent,from,text,body\n1,2026-03-02T09:30:00Z,+12075550111,SMS,Hello\n"
    (message,) = read(tmp_path, content, ("text=body",))
    assert isinstance(message, Message)
    assert message.text == "Hello"


def test_other_tables_stay_what_they_are(tmp_path: Path) -> None:
    content = "sent,from,text,channel\n2026-03-02T09:30:00Z,+12075550111,Hello,portal\n"
    (message,) = read(tmp_path, content)
    assert isinstance(message, Message)
    assert (message.text, message.channel) == ("Hello", "portal")
    channel = with_columns(parse_columns(SAID))
    assert not channel.sniff(b"item_id,body\n1,Hello\n", Path("any"))
    assert not channel.sniff(b'{"item_id": 1}\n', Path("any"))


@pytest.mark.parametrize(
    ("said", "aside", "problem"),
    [
        (("when=created_at",), (), "there is no column 'when': there are id, thread, sent,"),
        (("sent",), (), "'sent' is not of the form NAME=VALUE, such as sent=created_at"),
        (("sent=",), (), "'sent=' is not of the form NAME=VALUE, such as sent=created_at"),
        (("sent=a", "sent=b"), (), "each of our columns can be one of theirs"),
        (("sent=a", "text=A"), (), "the column 'A' cannot be both sent and text"),
        ((), ("kind",), "'kind' is not of the form NAME=VALUE, such as sent=created_at"),
    ],
)
def test_what_makes_no_sense_is_said(
    said: tuple[str, ...], aside: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(BadColumn) as raised:
        parse_columns(said, aside)
    assert str(raised.value).startswith(problem)


def test_an_import_takes_them(tmp_path: Path) -> None:
    path, people = tmp_path / "items.csv", tmp_path / "people.csv"
    path.write_text(EXPORT)
    people.write_text(
        "kind,id,family,phone\norganization,elm,Elm Street,+12075550100\n"
        "patient,ana,Prado,+12075550111\n"
    )
    with threadwell.open(tmp_path / "store.db") as tw:
        for new in (2, 0):
            report = tw.import_messages(
                path, people=people, zone="America/New_York", columns=SAID, set_aside=ASIDE
            )
            assert (report.counts.new, report.counts.quarantined) == (new, 1)
        with pytest.raises(BadSetting, match="there is no column 'when'"):
            tw.import_messages(path, columns="when=x")
        assert tw.verify() == []

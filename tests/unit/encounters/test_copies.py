"""Which messages of one id are copies of one, and what copies say together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from threadwell.encounters.copies import fingerprint, joined, tell_apart
from threadwell.encounters.said import said
from threadwell.messages import Address, AddressKind, Attachment, Message

ANA = Address(AddressKind.EMAIL, "ana@example.org", "Ana")
BEN = Address(AddressKind.EMAIL, "ben@example.org")
DESK = Address(AddressKind.EMAIL, "desk@example.org")
NURSE = Address(AddressKind.EMAIL, "nurse@example.org")
OWN = {DESK.key}
SENT = datetime(2024, 4, 10, 9, 0, 14, tzinfo=UTC)
TEXT = "My knee has hurt since Sunday, and it is warm."
PHOTO = Attachment("knee.jpg", "image/jpeg", b"knee")
OTHER = Attachment("toe.jpg", "image/jpeg", b"toe")
LEFT_OUT = Attachment("image", "application/octet-stream", None, "was left out of the export")


def message(**elements) -> Message:
    given = {
        "channel": "email",
        "external_id": "1",
        "sender": ANA,
        "recipients": (DESK,),
        "sent": SENT,
        "text": TEXT,
    }
    given |= elements
    return Message(**{"new_text": given["text"], **given})


WRITTEN = datetime.fromisoformat("2024-04-10T05:00:14")

SAME = [
    pytest.param({"text": f"\ufeff{TEXT}\r\n\r\n"}, id="line ends and a byte order mark"),
    pytest.param({"text": TEXT.replace(" ", "\u00a0 \n")}, id="white space, broken elsewhere"),
    pytest.param({"text": f"> *{TEXT}*"}, id="emphasis and quotation marks"),
    pytest.param({"sender": ANA._replace(display="")}, id="the name that came with an address"),
    pytest.param({"sent": SENT + timedelta(milliseconds=320)}, id="milliseconds"),
    pytest.param({"text": TEXT[:24]}, id="cut within a word"),
    pytest.param({"text": f"{TEXT[:24]} …"}, id="cut, with an ellipsis"),
    pytest.param({"text": ""}, id="nothing but its header"),
    pytest.param({"attachments": (PHOTO,)}, id="a file"),
    pytest.param({"recipients": (DESK, NURSE)}, id="a blind copy"),
    pytest.param({"notes": ("text taken from HTML",)}, id="how it was read"),
]


@pytest.mark.parametrize("elements", SAME)
def test_copies_of_one_message_are_one(elements):
    one, other = said(message()), said(message(**elements))
    (group,) = tell_apart([one, other], OWN)
    assert group.members == (0, 1)
    assert tell_apart([other, one], OWN)[0].said == group.said
    assert tell_apart([group.said, one, other], OWN)[0].said == group.said


DIFFERENT = [
    pytest.param({"text": "another text"}, id="words"),
    pytest.param({"text": TEXT.replace("warm", "cold")}, id="a word"),
    pytest.param({"text": "My knee"}, id="so short that it may be all there was"),
    pytest.param({"sender": BEN}, id="sender"),
    pytest.param({"sent": SENT + timedelta(hours=1)}, id="time"),
    pytest.param({"recipients": (BEN, DESK)}, id="whom it went to first"),
    pytest.param({"subject": "Knee", "text": "another text"}, id="subject and words"),
    pytest.param({"text": TEXT[:24], "attachments": (PHOTO,)}, id="a piece with a file of its own"),
]


@pytest.mark.parametrize("elements", DIFFERENT)
def test_what_says_something_else_is_told_apart(elements):
    one, other = said(message()), said(message(**elements))
    groups = tell_apart([one, other], OWN)
    assert sorted(group.members for group in groups) == [(0,), (1,)]
    assert len({fingerprint(group.said) for group in groups}) == 2


def test_a_number_is_no_punctuation():
    doses = ["Take 2.5 mg of it every day", "Take 25 mg of it every day", "Take -5 mg of it daily"]
    assert len(tell_apart([said(message(text=text)) for text in doses], OWN)) == 3


def test_a_time_without_a_zone_is_known_by_the_clock_on_the_wall():
    here = message(sent=datetime(2024, 4, 10, 9, 0, 14, tzinfo=UTC), wall=WRITTEN)
    there = message(sent=datetime(2024, 4, 10, 12, 0, 14, tzinfo=UTC), wall=WRITTEN)
    (group,) = tell_apart([said(here), said(there)], OWN)
    assert group.said.sent == said(here).sent


def test_a_made_id_says_that_all_are_copies():
    votes = [said(message(text=f"Which day? Monday ({count})", made_id=True)) for count in (9, 10)]
    (group,) = tell_apart(votes, OWN, one=True)
    assert group.said.text == "Which day? Monday (10)"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((), (PHOTO,), ["knee.jpg"]),
        ((LEFT_OUT,), (PHOTO,), ["knee.jpg"]),
        ((LEFT_OUT, OTHER), (PHOTO, LEFT_OUT), ["knee.jpg", "toe.jpg"]),
        ((PHOTO,), (OTHER,), ["knee.jpg", "toe.jpg"]),
        ((LEFT_OUT, LEFT_OUT), (PHOTO,), ["knee.jpg", "image, missing"]),
        ((PHOTO, OTHER), (OTHER,), ["knee.jpg", "toe.jpg"]),
        ((PHOTO, PHOTO), (PHOTO,), ["knee.jpg", "knee.jpg"]),
    ],
)
def test_files_of_two_copies(one, other, expected):
    copies = [said(message(attachments=files)) for files in (one, other)]
    found = joined(*copies).files
    assert [f"{file.name}{'' if file.there else ', missing'}" for file in found] == expected
    assert joined(*copies[::-1]).files == found


def test_what_was_lacking_is_forgotten_once_it_is_there():
    cut = message(attachments=(LEFT_OUT,), notes=("odd", "multipart is cut off before its end"))
    whole = message(attachments=(PHOTO,), notes=("odd",))
    assert said(cut).gaps == (
        "multipart is cut off before its end",
        "a file of it was left out of the export",
    )
    for copies in ((cut, whole), (whole, cut)):
        now = joined(*map(said, copies))
        assert (now.notes, now.gaps) == (("odd",), ())
    again = joined(said(cut), said(replace(cut, notes=cut.notes[1:])))
    assert (again.notes, again.gaps) == (("odd",), said(cut).gaps)


def test_a_piece_that_may_be_of_two_is_neither_lost_nor_a_third():
    beginning = TEXT[:30]
    texts = [beginning, f"{beginning} warm.", f"{beginning} cold."]
    groups = tell_apart([said(message(text=text)) for text in texts], OWN)
    assert sorted(group.said.text for group in groups) == sorted(texts[1:])

"""Words that are struck in iMessage, since iOS 18."""

from __future__ import annotations

import plistlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.channels.imessage.attributes import struck_in
from threadwell.messages import looks
from threadwell.messages.wordings import original_of

from .conftest import NANOSECONDS, SECONDS, Phone, sound, typedstream

PART = b"\x1d__kIMMessagePartAttributeName"
STRIKE = b"__kIMTextStrikethroughAttributeName"
NUMBER = b"\x84\x84\x84\x08NSNumber\x00\x84\x84\x07NSValue\x00\x94\x84\x01*\x84\x99\x99"


def runs(*lengths: int, key: bytes = STRIKE) -> bytes:
    """What stands behind the text of a stream: the first and third run are plain, others struck.

    Sets of attributes have the part of the message (0), and whether it is struck (1). What was
    written before is named by its number, as Apple's programs do.
    """
    first, *others = lengths
    # A run, and its set: an NSDictionary of one key, whose value is an NSNumber.
    out = b"\x86\x84\x02iI\x01" + bytes([first])
    out += b"\x92\x84\x84\x84\x0cNSDictionary\x00\x94\x84\x01i\x01\x92\x84\x96\x96" + PART
    out += b"\x86\x92" + NUMBER + b"\x00\x86\x86"
    for at, length in enumerate(others):
        out += b"\x97" + bytes([1 if at % 2 else 2, length])
        if at == 0:
            # The class and the first key are known; the number 1 is new, the 0 is not.
            out += b"\x92\x84\x98\x99\x02\x92\x99\x92\x9a\x92\x84\x96\x96"
            out += bytes([len(key)]) + key + b"\x86\x92\x84\x9b\x9c\x9d\x99\x01\x86\x86"
    return out + b"\x86"


def stream(text: str, *lengths: int, key: bytes = STRIKE) -> bytes:
    return typedstream(text, end=runs(*lengths, key=key))


@pytest.mark.parametrize(
    ("text", "lengths", "shown"),
    [
        ("now 10 mg", (4, 5), "now ~~10 mg~~"),
        ("now 10 mg 5 mg", (4, 5, 5), "now ~~10 mg~~ 5 mg"),
        ("\U0001f600 10 or 20 mg", (3, 2, 4, 2, 3), "\U0001f600 ~~10~~ or ~~20~~ mg"),
        ("all", (3,), "all"),
    ],
)
def test_what_is_struck_is_shown(
    phone: Phone, text: str, lengths: tuple[int, ...], shown: str
) -> None:
    phone.add(None, attributedBody=stream(text, *lengths))
    (one,) = sound(phone.read())
    assert (one.text, one.new_text) == (shown, shown)
    assert one.notes == ((looks.NOTE,) if len(lengths) > 1 else ())


def test_other_looks_are_none(phone: Phone) -> None:
    bold = stream("now 10 mg", 4, 5, key=b"__kIMTextBoldAttributeName")
    phone.add(None, attributedBody=bold)
    (one,) = sound(phone.read())
    assert (one.text, one.notes) == ("now 10 mg", ())


def test_an_edit_that_strikes_is_a_wording(phone: Phone) -> None:
    """Its id is of the words alone: earlier builds have given it so."""
    plain, struck = stream("now 10 mg", 9), stream("now 10 mg", 4, 5)
    made = []
    for last in (struck, typedstream("now 10 mg")):
        parts = {"0": [{"d": SECONDS, "t": plain}, {"d": SECONDS + 60, "t": last}]}
        past = plistlib.dumps({"ec": parts}, fmt=plistlib.FMT_BINARY)
        edited = NANOSECONDS + 60 * 10**9
        guid = f"G{len(made)}"
        phone.add(
            None, guid=guid, attributedBody=last, date_edited=edited, message_summary_info=past
        )
        made.append([one for one in sound(phone.read()) if original_of(one.external_id) == guid])
    assert [one.text for one in made[0]] == ["now 10 mg", "now ~~10 mg~~"]
    (other,) = made[1]
    digests = [one.external_id.partition(":")[2] for one in (made[0][1], other)]
    assert digests[0] == digests[1]


@given(st.data())
def test_a_damaged_stream_strikes_nothing_that_is_not_there(data: st.DataObject) -> None:
    whole = stream("now 10 mg 5 mg", 4, 5, 5)
    assert struck_in(whole) == [(4, 9)]
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
    for damaged in (cut, whole[:at]):
        ranges = struck_in(damaged)
        assert all(0 <= first <= behind for first, behind in ranges)
        assert looks.without_marks(looks.with_struck("now 10 mg 5 mg", ranges)) == "now 10 mg 5 mg"

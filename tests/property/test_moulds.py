"""A child that is filled into a mould is the one that is made anew, byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from threadwell.encounters.attribution import NAMED, Reason
from threadwell.encounters.child import child, files_of
from threadwell.encounters.mould import mould_of
from threadwell.encounters.placed import Link
from threadwell.encounters.times import microseconds
from threadwell.fhir.json import encode
from threadwell.fhir.stamp import stamp
from threadwell.messages import Address, AddressKind, Attachment, Message

VERSION, UPDATED = "01a3185c-5000-786a-8ea9-7bf26c28b101", 1_800_000_000_123
TIMES = st.datetimes(timezones=st.just(UTC))
PEOPLE = ("", "Patient/ana", "RelatedPerson/mary", "Practitioner/alice")
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from(
    ['He said: "no"\\', "one\ntwo\t", "\ue0004\ue001", "%b {} \x7f", "Grüße 🙂", " "]
)
ADDRESSES = st.builds(
    Address,
    st.sampled_from(AddressKind),
    st.sampled_from(["+12075550100", "ana@example.org", "slack:U1", "\ue0003\ue001"]),
    st.sampled_from(["", "Ana", "\ue0000\ue001"]),
)


@st.composite
def linked(draw, *, odd: bool):
    """A message and its link; with ``odd`` it may have whatever messages have."""
    recipients = draw(st.lists(ADDRESSES, max_size=3).map(tuple))
    text = draw(WORDS)
    elements = {
        "received": draw(st.none() | TIMES),
        "medium": draw(st.sampled_from(["", "SMSWRIT"])),
        "source": draw(st.sampled_from(["", "AC1/ü"])),
        "author": draw(st.sampled_from(["", "Practitioner/alice"])),
    }
    who = st.sampled_from(PEOPLE)
    to = draw(st.tuples(*[who] * len(recipients)))
    link = Link("header", draw(who), draw(who), to, "")
    if draw(st.booleans()):
        link = link._replace(said=("Task/1", *[""] * len(recipients)))
    if odd:
        some = st.sampled_from([(), ("a@x",)])
        elements |= {
            "new_text": draw(st.just(text) | WORDS),
            "subject": draw(st.sampled_from(["", "Travel"])),
            "references": draw(some),
            "in_reply_to": draw(st.sampled_from(["", "a@x"])),
            "attachments": draw(st.sampled_from([(), (Attachment("a.png", "image/png", b"1"),)])),
            "notes": draw(st.sampled_from([(), ("the zone is not known",)])),
            "wall": draw(st.none() | st.datetimes()),
            "apart": draw(st.sampled_from(["", "0f"])),
            "on_arrival": draw(st.booleans()),
            "edited": draw(st.none() | TIMES),
            "also": draw(some),
            "taken_back": draw(st.booleans()),
        }
        reasons = st.sampled_from([(), (Reason("Patient/ana", NAMED, "Ana"),)])
        link = link._replace(reply=draw(st.sampled_from(["", "y"])), reasons=draw(reasons))
    channel, id_ = draw(st.sampled_from(["sms", "slack"])), draw(WORDS)
    rest = {"new_text": text, **elements}
    return Message(channel, id_, draw(ADDRESSES), recipients, draw(TIMES), text, **rest), link


def made(message: Message, link: Link, id_: str = "child"):
    return stamp(child(message, id_, link, files_of(message)), id_, VERSION, UPDATED)


def filled(message: Message, link: Link, id_: str = "child"):
    mould = mould_of(message, link)
    if mould is None:
        return None
    return mould.filled(message, microseconds(message.sent), id_, link.header, VERSION, UPDATED)


@given(linked(odd=True) | linked(odd=False))
def test_whatever_is_filled_in_is_what_is_made(one):
    found = filled(*one)
    if found is not None:
        resource, body = made(*one)
        assert found[1] == body
        # The members are in one order, too.
        assert encode(found[0]) == encode(resource)


@given(linked(odd=False), linked(odd=False))
def test_messages_of_one_way_are_told_apart_by_what_is_their_own(one, other):
    (message, link), (later, _) = one, other
    again = later.__class__(
        *(message.channel, later.external_id, message.sender, message.recipients, later.sent),
        *(later.text, later.text),
        received=later.received,
        medium=message.medium,
        source=message.source,
        author=message.author,
    )
    for each, header in ((message, "header"), (again, "another"), (message, "header")):
        here = link._replace(header=header)
        found = filled(each, here, header)
        assert found is None or found[1] == made(each, here, header)[1]


def test_an_ordinary_message_has_a_mould():
    phone = Address(AddressKind.PHONE, "+12075550100")
    at = datetime(2024, 4, 10, 9, tzinfo=UTC)
    message = Message("sms", "m1", phone, (phone,), at, "May I travel?", "May I travel?")
    link = Link("header", "Patient/ana", "Patient/ana", ("Practitioner/alice",), "")
    assert filled(message, link) == made(message, link)
    assert mould_of(message, link) is mould_of(message, link._replace(header="another"))


def test_what_looks_like_a_hole_is_made_anew():
    hole = Address(AddressKind.OTHER, "\ue0004\ue001")
    at = datetime(2024, 4, 10, 9, tzinfo=UTC)
    message = Message("sms", "m1", hole, (), at, "Hello", "Hello")
    assert mould_of(message, Link("header", "", "", (), "")) is None

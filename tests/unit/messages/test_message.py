"""A message is one value: it is varied as others are, never changed, and goes whole to others."""

from __future__ import annotations

import pickle
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime

import pytest

from threadwell.messages import Address, AddressKind, Message

ANA, OWN = (Address(AddressKind.PHONE, f"+1212555010{n}") for n in range(2))
ONE = Message("sms", "1", ANA, (OWN,), datetime(2024, 4, 10, tzinfo=UTC), "Hi", "Hi", edited=None)


def test_it_is_varied_and_stays_as_it_was():
    other = replace(ONE, text="Hello", notes=("late",))
    assert (ONE.text, ONE.notes) == ("Hi", ())
    assert (other.text, other.notes, other.new_text) == ("Hello", ("late",), "Hi")
    assert other != ONE
    assert replace(other, text="Hi", notes=()) == ONE


@pytest.mark.parametrize("name", [one.name for one in fields(Message)])
def test_no_member_of_it_can_be_changed(name):
    with pytest.raises(AttributeError):
        setattr(ONE, name, getattr(ONE, name))


def test_it_is_told_by_what_it_says():
    again = pickle.loads(pickle.dumps(ONE))
    assert again == ONE
    assert len({ONE, again, replace(ONE, source="other")}) == 2


def test_its_fields_tell_their_types_and_which_may_be_left_out():
    told = {one.name: (one.type, one.default) for one in fields(Message)}
    assert told["sender"] == ("Address", MISSING)
    assert told["made_id"] == ("bool", False)
    needed = [name for name, (_, default) in told.items() if default is MISSING]
    assert needed == [
        *("channel", "external_id", "sender", "recipients"),
        "sent",
        "text",
        "new_text",
    ]

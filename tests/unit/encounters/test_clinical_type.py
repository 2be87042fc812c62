"""Which clinical type a session over some channels has."""

from __future__ import annotations

import pytest

from threadwell.encounters import codes
from threadwell.encounters.frame import Frame

PHONE = {"system": codes.SNOMED, "code": "185317003"}
MAIL = {"system": "http://www.ama-assn.org/go/cpt", "code": "99421"}


@pytest.mark.parametrize(
    ("of", "channels", "expected"),
    [
        ({}, ["sms_backup"], codes.BY_COMPUTER_LINK),
        ({"sms_backup": PHONE}, ["sms_backup"], PHONE),
        ({"sms_backup": PHONE}, ["email"], codes.BY_COMPUTER_LINK),
        ({"sms_backup": PHONE, "email": PHONE}, ["email", "sms_backup"], PHONE),
        ({"sms_backup": PHONE, "email": MAIL}, ["email", "sms_backup"], codes.BY_COMPUTER_LINK),
        ({"sms_backup": PHONE}, ["email", "sms_backup"], codes.BY_COMPUTER_LINK),
    ],
)
def test_channels_of_one_session_have_to_agree(of, channels, expected):
    frame = Frame("Patient/ana", ("Patient/ana",), {}, "per-day", "thread", clinical_of=of)
    assert frame.clinical_type(channels) == expected

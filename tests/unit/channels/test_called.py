"""What lists call the ways of messages, with no channel loaded."""

from __future__ import annotations

import pytest

from threadwell.app import channels
from threadwell.channels.called import called
from threadwell.inbox.words import Badges


@pytest.mark.parametrize(
    "way",
    [
        *(one.name for one in channels()),
        *("", "sms", "email", "app", "pigeon", "twilio:whatsapp", "twilio:rcs", "twilio:x"),
    ],
)
def test_a_way_is_called_as_on_the_pages(way: str) -> None:
    assert called(way) == Badges(channels()).of(way).name

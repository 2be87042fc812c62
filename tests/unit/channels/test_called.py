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


def test_a_channel_that_is_added_tells_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threadwell.channels.called._WORDS", {})
    assert called("slack") == "Slack"
    assert called("reading") == "reading"
    assert called("../x") == "../x"

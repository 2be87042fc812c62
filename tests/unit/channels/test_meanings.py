"""What the codes of providers mean, as it stands on messages that did not arrive."""

from __future__ import annotations

import pytest

from threadwell.app import live_channels


@pytest.mark.parametrize(
    ("channel", "code", "words"),
    [
        ("twilio", "30003", "the phone is off, or out of reach"),
        ("twilio", "21610", "the recipient has said STOP to that number"),
        ("telnyx", "40300", "the recipient has said STOP to that number"),
        ("whatsapp_cloud", "131026", "the number that it goes to is not on WhatsApp"),
        ("chat", "30003", ""),
    ],
)
def test_a_usual_code_has_words(channel: str, code: str, words: str) -> None:
    live = live_channels()[channel].live
    assert live is not None
    assert live.meaning(code).startswith(words)
    assert bool(live.meaning(code)) is bool(words)


def test_an_unknown_code_has_none() -> None:
    known = [one.live for one in live_channels().values() if one.live]
    assert [live.meaning("9") for live in known] == [""] * len(known)

"""The simulated patient of ``make run`` (``scripts/living.py``): what it makes of an answer."""

from __future__ import annotations

import pytest

import living


@pytest.mark.parametrize(
    ("text", "files", "answer"),
    [
        ("Do you have a FEVER?", 0, "It is 99.1 °F now. Does that count as a fever?"),
        ("Any allergies?", 0, "Only to penicillin, as far as I know."),
        ("Can you come in tomorrow at 3 pm?", 0, "That suits me. I will be there."),
        ("Better rest at home.", 0, "All right, I will, and write if it gets worse."),
        ("Does it itch?", 0, "Yes, I think so."),
        ("Noted.", 0, "Thank you, that helps."),
        ("", 1, "Your file has arrived, thank you."),
    ],
)
def test_it_answers_what_was_written(text: str, files: int, answer: str) -> None:
    assert living.Robin().answer(text, files) == answer


def test_it_does_not_say_the_same_twice_at_once() -> None:
    robin = living.Robin()
    assert robin.answer("Good.") != robin.answer("Good.")
    assert robin.unasked() != robin.unasked()

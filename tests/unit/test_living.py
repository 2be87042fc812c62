"""The simulated patient of ``make run`` (``scripts/living.py``): what it makes of an answer."""

from __future__ import annotations

import time
from collections.abc import Callable

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


def test_it_ends_when_nobody_answers_and_goes_on_when_somebody_does() -> None:
    robin = living.Robin()
    said = []
    while text := robin.unasked():
        said.append(text)
    assert 3 < len(said) < 12
    assert "wait for your answer" in said[-1]
    assert robin.unasked() == ""
    assert robin.answer("Do you have a fever?")


def test_the_patient_falls_silent_until_somebody_answers() -> None:
    carrier = living.Carrier()
    came: list[str] = []
    carrier.deliver = lambda _hook, said: came.append(said.get("Body", "")) is None  # type: ignore[method-assign]
    living.play(carrier, "http://nowhere/", living.Setting(every=0.001))
    many = len(living._STORY)
    _until(lambda: len([one for one in came if one]) == many)
    time.sleep(0.3)
    assert len([one for one in came if one]) == many
    carrier.take({"From": [living.OFFICE], "To": [living.NUMBER], "Body": ["Any allergies?"]})
    _until(lambda: "Only to penicillin, as far as I know." in came)


def _until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not done():
        assert time.monotonic() < until, "it does not come"
        time.sleep(0.01)

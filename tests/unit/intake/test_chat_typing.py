"""Who types is told for seconds, to whoever shares the memory, and of that thread alone."""

from __future__ import annotations

import os

from threadwell.intake.chat.typing import SECONDS, Side, Typing

NOW = 1_710_072_000_000


def test_somebody_types_for_a_while() -> None:
    typing = Typing()
    typing.tell("a", Side.PATIENT, NOW)
    assert typing.is_typing("a", Side.PATIENT, NOW)
    assert typing.is_typing("a", Side.PATIENT, NOW + SECONDS * 1000 - 1)
    assert not typing.is_typing("a", Side.PATIENT, NOW + SECONDS * 1000)
    assert not typing.is_typing("a", Side.PRACTICE, NOW)
    assert not typing.is_typing("b", Side.PATIENT, NOW)
    # A clock that was set back.
    assert not typing.is_typing("a", Side.PATIENT, NOW - 1)
    told = typing.told
    typing.tell("a", Side.PATIENT, NOW, 0)
    assert typing.told != told
    assert not typing.is_typing("a", Side.PATIENT, NOW)


def test_many_threads_do_not_take_each_others_place() -> None:
    typing = Typing()
    for number in range(1000):
        typing.tell(f"t{number}", Side(1 + number % 2), NOW + number)
    for number in range(1000):
        for side in Side:
            wanted = side == 1 + number % 2
            assert typing.is_typing(f"t{number}", side, NOW + 1000) == wanted
    # Later on the rows are there for others.
    later = NOW + 3_600_000
    for number in range(4000):
        typing.tell(f"u{number}", Side.PATIENT, later)
    told = sum(typing.is_typing(f"u{number}", Side.PATIENT, later) for number in range(4000))
    assert told > 3500


def test_a_process_that_was_forked_is_told() -> None:
    typing = Typing()
    child = os.fork()
    if not child:
        typing.tell("a", Side.PATIENT, NOW)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert typing.is_typing("a", Side.PATIENT, NOW)

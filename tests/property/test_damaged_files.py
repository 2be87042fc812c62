"""A short form of ``make fuzz``: damaged files into every reader."""

from __future__ import annotations

import random

import pytest

import fuzz

#: The last two were found by the long form: a table whose UTF-16 breaks off within a character,
#: and a chat in which a line looks like a notice of the app until it is read whole.
SEEDS = [*(f"steady-{number}" for number in range(300)), "0-2184", "0-529"]


@pytest.mark.parametrize("some", [SEEDS[at::10] for at in range(10)], ids=lambda some: some[0])
def test_whatever_is_in_a_file_its_reader_ends(some: list[str]) -> None:
    for seed in some:
        fuzz.read_input(*fuzz.make_input(random.Random(seed)))


def test_damage_is_real_and_can_be_made_again() -> None:
    made = [fuzz.make_input(random.Random(seed)) for seed in SEEDS]
    assert made == [fuzz.make_input(random.Random(seed)) for seed in SEEDS]
    sound = {content for seeds in fuzz._SEEDS.values() for content in seeds}
    assert sum(content not in sound for _, content in made) > 250
    assert {channel.name for channel, _ in made} == {one.name for one in fuzz._CHANNELS}

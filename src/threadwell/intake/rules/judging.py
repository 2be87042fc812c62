"""Whether a rule holds: conditions over what is known of a message and its thread. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from threadwell.fhir.search.fold import fold
from threadwell.intake.hours import OpeningHours
from threadwell.intake.rulebook.ruleset import Conditions, Rule


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions ask about. ``at`` is when it happened, in microseconds since 1970 UTC.

    ``new`` tells whether nobody of the patient's side had written before; ``claimed`` whether
    somebody takes care of the thread.
    """

    at: int
    channel: str = ""
    text: str = field(default="", repr=False)
    tags: frozenset[str] = frozenset()
    new: bool = False
    claimed: bool = False


def holds(rule: Rule, facts: Facts, hours: OpeningHours | None) -> bool:
    """Whether all of *when* is so, and nothing of *unless*."""
    return all(_answers(rule.when, facts, hours)) and not any(_answers(rule.unless, facts, hours))


def _answers(asked: Conditions, facts: Facts, hours: OpeningHours | None) -> Iterator[bool]:
    """For each thing that is asked, whether it is so."""
    if asked.channels:
        yield facts.channel in asked.channels
    if asked.words:
        yield has_words(facts.text, asked.words)
    if asked.hours:
        yield (hours is None or hours.is_open(facts.at)) == (asked.hours == "open")
    if asked.patient:
        yield facts.new == (asked.patient == "new")
    if asked.tags:
        yield not facts.tags.isdisjoint(asked.tags)
    if asked.claimed is not None:
        yield facts.claimed == asked.claimed


def has_words(text: str, words: tuple[str, ...]) -> bool:
    """Whether one of the words, or of the phrases, is in a text: whole, whatever its case."""
    return any(map(_finder(words), [" ".join(fold(text).split())]))


def _finder(words: tuple[str, ...]) -> Callable[[str], object]:
    each = "|".join(re.escape(" ".join(fold(one).split())) for one in words)
    return re.compile(rf"(?<!\w)(?:{each})(?!\w)").search

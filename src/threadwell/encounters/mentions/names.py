"""Decides whom a text names, and with which words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from threadwell.encounters.mentions.addressed import CALLED
from threadwell.encounters.mentions.context import Reading
from threadwell.encounters.mentions.contrast import contrast, is_chosen, is_well
from threadwell.encounters.mentions.doubts import DENIED, doubt, is_whose
from threadwell.encounters.mentions.evidence import evidence
from threadwell.encounters.mentions.forms import Called, Forms, Place
from threadwell.encounters.mentions.language import (
    Spoken,
    abbreviations,
    languages,
    lexicon,
    spoken,
)
from threadwell.encounters.mentions.oneself import says_of_oneself
from threadwell.encounters.mentions.tokens import Sentence, composed, sentences, words_of
from threadwell.encounters.mentions.unspaced import Unspaced

#: Words on either side of a name that are shown as the reason, and their greatest length.
_AROUND = 3
_LONGEST = 80
#: Beside a name that stands alone, as the answer to a question.
_ANSWER = frozenset(
    (
        *("i", "mean", "sorry", "meant", "it", "its", "is", "s", "'", "about", "for", "yes", "no"),
        *("not", "nope", "yep", "yeah", "was", "this", "time"),
    )
)


class Mention(NamedTuple):
    """A patient (``Patient/…``) whom a text names, and the words in which it does."""

    patient: str
    words: str


class Names:
    """The names of a circle's patients, ready to be looked for."""

    def __init__(self, called: Mapping[str, Called]) -> None:
        self._called = dict(called)
        self._forms = Forms(called)
        self._unspaced = Unspaced(called)

    def mentioned(self, text: str, own: Collection[str] = ()) -> tuple[Mention, ...]:
        """The patients whom ``text`` is about by their names, each once, in its order.

        ``own`` are the given names of whoever writes it.
        """
        text = composed(text)
        parts: list[Sentence] = []
        if self._forms.hint(text):
            parts = [self._forms.parted(one) for one in sentences(text, abbreviations())]
        first: dict[str, Mention] = {}
        if parts:
            said = _Said(text, self._forms, self._called, own, parts)
            for number, place in said.about():
                words = _around(text, parts[number], place)
                first.setdefault(place.patient, Mention(place.patient, words))
        if self._unspaced:
            found = list(self._unspaced.found(text))
            denied = {one.patient for one in found if one.denied}
            for one in found:
                if one.patient not in denied:
                    words = " ".join(text[max(0, one.start - 6) : one.end + 8].split())
                    first.setdefault(one.patient, Mention(one.patient, words))
        return tuple(first.values())

    def speaks_of_writer(self, text: str) -> bool:
        """Whether ``text`` tells of an illness of whoever writes it."""
        text = composed(text)
        parts = [self._forms.parted(one) for one in sentences(text, abbreviations())]
        names = self._forms.words()
        whole = spoken(token for one in parts for token in one.tokens if token.word not in names)
        for number, part in enumerate(parts):
            tongues = spoken(token for token in part.tokens if token.word not in names) or whole
            if not tongues:
                continue
            reading = Reading(
                part,
                lexicon(tongues.likely),
                lexicon(tongues.possible),
                tongues.likely,
                tuple(self._forms.places(part.tokens, tongues.likely)),
                self._called,
                frozenset(),
                number == 0,
                number == len(parts) - 1,
            )
            if says_of_oneself(reading):
                return True
        return False


class _Said:
    """A text being read: its sentences, each with its number, that may name somebody."""

    def __init__(
        self,
        text: str,
        forms: Forms,
        called: dict[str, Called],
        own: Collection[str],
        parts: Sequence[Sentence],
    ) -> None:
        names = forms.words()
        own_words = frozenset(word for name in own for word in words_of(name))
        self._readings: dict[int, Reading] = {}
        whole = Spoken(frozenset(), frozenset())
        for number, part in enumerate(parts):
            if len(parts) > 1 and not forms.hint(_written(text, part)):
                continue
            tongues = spoken(token for token in part.tokens if token.word not in names)
            if not tongues:
                whole = whole or spoken(
                    token for one in parts for token in one.tokens if token.word not in names
                )
                tongues = whole or Spoken(languages(), languages())
            places = tuple(forms.places(part.tokens, tongues.likely))
            self._readings[number] = Reading(
                part,
                lexicon(tongues.likely),
                lexicon(tongues.possible),
                tongues.likely,
                places,
                called,
                own_words,
                number == 0,
                number == len(parts) - 1,
            )
        self._unread = [part for number, part in enumerate(parts) if number not in self._readings]

    def about(self) -> Iterable[tuple[int, Place]]:
        """The sentences and places that count."""
        denied = self._instead()
        counted: list[tuple[int, Place]] = []
        alone = self._is_answer()
        for number, reading in self._readings.items():
            doubts = {
                place: doubt(reading, place) or contrast(reading, place) for place in reading.places
            }
            self._spread(reading, doubts)
            denied.update(place.patient for place, why in doubts.items() if why == DENIED)
            sure = {
                place
                for place, why in doubts.items()
                if (not why or (alone and why == CALLED)) and evidence(reading, place)
            }
            if alone:
                sure.update(
                    place
                    for place, why in doubts.items()
                    if why in ("", CALLED) and self._may_answer(reading, place)
                )
            self._listed(reading, doubts, sure)
            sure -= self._alternatives(reading)
            counted += [(number, place) for place in reading.places if place in sure]
        return [(number, place) for number, place in counted if place.patient not in denied]

    def _spread(self, reading: Reading, doubts: dict[Place, str]) -> None:
        """What denies or compares one name does so to those that follow it in a list."""
        for before, place in pairwise(reading.places):
            gap = reading.words[reading.after(before) : place.start]
            joined = reading.joint(reading.after(before)) == place.start
            if joined and gap and is_whose(reading, place) and reading.possessive(place):
                doubts[before] = doubts[before] or doubts[place]
            if doubts[before] and gap and gap[0] != ",":
                joint = reading.joint(reading.after(before))
                if joint == place.start or reading.at("or", before.end) == len(gap):
                    doubts[place] = doubts[place] or doubts[before]

    def _listed(self, reading: Reading, doubts: dict[Place, str], sure: set[Place]) -> None:
        """``Mia and Will``: beside a name that counts, so does another one with a capital."""
        places = reading.places
        for _ in places:
            known = len(sure)
            for one, other in pairwise(places):
                joint = reading.joint(one.end)
                if joint == one.end or joint != other.start:
                    continue
                for this, that in ((one, other), (other, one)):
                    capital = reading.is_capital(that) and reading.sentence.mixed
                    fits = capital or not reading.name_class(that)
                    asks = reading.name_class(that) and reading.at("pronoun", that.end)
                    if this in sure and not doubts[that] and fits and not asks:
                        sure.add(that)
            if len(sure) == known:
                return

    def _alternatives(self, reading: Reading) -> set[Place]:
        """``Leo or Mia``: nobody can tell which."""
        out: set[Place] = set()
        for one, other in pairwise(reading.places):
            length = reading.at("or", reading.after(one))
            # "for Leo or for Mia"
            start = reading.skip_back("link", other.start, 2)
            if length and start <= reading.after(one) + length <= other.start:
                out.update((one, other))
        return out

    def _instead(self) -> set[str]:
        """Whoever is said to be well right before it is said whom it is about."""
        out: set[str] = set()
        well: dict[str, None] = {}
        for reading in self._readings.values():
            for place in reading.places:
                start = reading.skip_back("mine", place.start, 1)
                fresh = any(reading.before("fresh", end) for end in (place.start, start))
                if fresh or is_chosen(reading, place):
                    out.update(one for one in well if one != place.patient)
                if is_well(reading, place):
                    well[place.patient] = None
        return out

    def _may_answer(self, reading: Reading, place: Place) -> bool:
        kind = reading.name_class(place)
        if not kind or place.name[0] in reading.suspected["unsaid"]:
            return True
        return reading.is_capital(place) and kind not in ("time", "modal")

    def _is_answer(self) -> bool:
        """Whether the whole text is nothing but names."""
        for part in self._unread:
            if any(one.text.isalnum() and one.word not in _ANSWER for one in part.tokens):
                return False
        for reading in self._readings.values():
            for at, token in enumerate(reading.tokens):
                if at in reading.named or not (token.is_word or token.is_number):
                    continue
                if token.word not in _ANSWER and not reading.at("and", at):
                    return False
        return True


def _written(text: str, part: Sentence) -> str:
    return text[part.tokens[0].start : part.tokens[-1].end]


def _around(text: str, part: Sentence, place: Place) -> str:
    """The words of the text around a place."""
    tokens = part.tokens
    start = max(0, place.start - _AROUND)
    end = min(len(tokens), place.end + _AROUND)
    words = " ".join(text[tokens[start].start : tokens[end - 1].end].split())
    if len(words) > _LONGEST:
        words = text[tokens[place.start].start : tokens[place.end - 1].end]
    return words

"""Where in a sentence a name may stand, in the forms that it takes in the languages spoken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from threadwell.encounters.mentions.language import clitics, endings_of, lexicon
from threadwell.encounters.mentions.tokens import Sentence, Token, words_of
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.fold import fold

_ARABIC = re.compile("[\u0600-\u06ff]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
#: So that a short name does not meet with half of the dictionary.
_SHORTEST_INFLECTED = 3
#: So that "La" of "La Toya" is nobody's name.
_SHORTEST_FIRST = 3
#: The last letters of names whose place an ending may take.
_LOST = "aeoiая"


class Called(NamedTuple):
    """What a patient is called: given names and nicknames, and family names."""

    given: tuple[str, ...]
    family: tuple[str, ...] = ()


def called(person: Resource) -> Called:
    """What a Patient or RelatedPerson is called now."""
    names = [name for name in person.get("name") or () if name.get("use") != "old"]
    given = (one for name in names for one in name.get("given") or () if one)
    family = (name.get("family") for name in names)
    return Called(tuple(given), tuple(one for one in family if one))


def is_unspaced(text: str) -> bool:
    """Whether it has letters of a script in which no space tells where a name begins."""
    return _UNSPACED.search(text) is not None


class Place(NamedTuple):
    """The tokens from ``start`` up to ``end`` may name ``patient``.

    ``name`` are the words of the name; ``owning`` says that an ending makes it a genitive.
    """

    start: int
    end: int
    patient: str
    name: tuple[str, ...]
    owning: bool = False


class Forms:
    """The given names of some patients. A name that two of them share tells nothing."""

    def __init__(self, called: Mapping[str, Called]) -> None:
        owners: dict[tuple[str, ...], set[str]] = {}
        for patient, names in called.items():
            for name in names.given:
                if (words := tuple(words_of(name))) and not is_unspaced(name):
                    owners.setdefault(words, set()).add(patient)
        for words, patients in _shortened(called).items():
            if words not in owners:
                owners[words] = patients
        self._taken = {word for words in owners for word in words}
        self._unique = {words: next(iter(who)) for words, who in owners.items() if len(who) == 1}
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for words, patient in sorted(self._unique.items(), key=lambda one: -len(one[0])):
            if len("".join(words)) > 1:
                self._by_first.setdefault(words[0], []).append((words, patient))
        stems = {_stem(words[0]) for words in self._unique}
        #: Names that may have a clitic before them, as Arabic writes "and Noor" in one word.
        self._joinable = frozenset(one for one in self._taken if _ARABIC.match(one))
        before = f"[{''.join(sorted(clitics()))}]?" if self._joinable else ""
        one_of = "|".join(map(re.escape, sorted(stems)))
        self._hint = re.compile(rf"(?<![^\W_]){before}(?:{one_of})")

    def words(self) -> frozenset[str]:
        """The words of all names."""
        return frozenset(self._taken)

    def hint(self, text: str) -> bool:
        """Whether a name may be in a text, so that looking closely is worth it."""
        folded = unicodedata.normalize("NFC", fold(text))
        return bool(self._unique) and self._hint.search(folded) is not None

    def parted(self, sentence: Sentence) -> Sentence:
        """The sentence with the names apart from the clitics before them."""
        if not self._joinable:
            return sentence
        tokens: list[Token] = []
        for token in sentence.tokens:
            name = token.word[1:]
            if (
                name in self._joinable
                and token.word not in self._taken
                and (token.word[0] in clitics())
            ):
                middle = token.start + 1
                tokens.append(token._replace(text=token.text[0], word=token.word[0], end=middle))
                token = token._replace(text=token.text[1:], word=name, start=middle, first=False)
            tokens.append(token)
        return replace(sentence, tokens=tokens)

    def places(self, tokens: Sequence[Token], languages: frozenset[str]) -> Iterator[Place]:
        """Where the names may stand, from the left to the right, without overlaps."""
        words = [token.word for token in tokens]
        taken = endings_of(languages)
        known = lexicon(languages)
        free = 0
        for at, token in enumerate(tokens):
            if at < free:
                continue
            place = self._plain(words, at)
            if place is None and token.is_word and len(token.word) >= _SHORTEST_INFLECTED:
                place = self._inflected(words, at, taken)
                if place and (known.is_word(token.word) or known.word_class(token.word)):
                    place = None
            if place is not None:
                yield place
                free = place.end

    def _plain(self, words: Sequence[str], at: int) -> Place | None:
        for name, patient in self._by_first.get(words[at], ()):
            end = at + len(name)
            if tuple(words[at:end]) == name:
                return Place(at, end, patient, name)
        return None

    def _inflected(
        self, words: Sequence[str], at: int, taken: Sequence[tuple[str, str]]
    ) -> Place | None:
        word = words[at]
        if word in self._taken:
            return None
        for how, ending in taken:
            if not word.endswith(ending):
                continue
            stem = word[: -len(ending)]
            for name in (stem,) if how == "-" else (stem + vowel for vowel in _LOST):
                patient = self._unique.get((name,))
                if patient and len(name) >= _SHORTEST_INFLECTED:
                    return Place(at, at + 1, patient, (name,), owning=True)
        return None


def _shortened(called: Mapping[str, Called]) -> dict[tuple[str, ...], set[str]]:
    """What is left of given names in one cell: ``Mia`` of ``Mia R.`` and of ``Mia Rose``."""
    out: dict[tuple[str, ...], set[str]] = {}
    for patient, names in called.items():
        for name in names.given:
            first, _, rest = name.strip().partition(" ")
            words = tuple(words_of(first))
            if rest and len("".join(words)) >= _SHORTEST_FIRST and not is_unspaced(name):
                out.setdefault(words, set()).add(patient)
    return out


def _stem(word: str) -> str:
    """The letters with which every form of a name begins."""
    return word[:-1] if len(word) > _SHORTEST_INFLECTED - 1 and word[-1] in _LOST else word

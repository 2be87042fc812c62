"""A sentence around the place of a name, asked in the words of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from threadwell.encounters.mentions.forms import Called, Place
from threadwell.encounters.mentions.language import Lexicon, endings
from threadwell.encounters.mentions.tokens import Sentence, Token, words_of

_BRACKETS = ("(", ")", ",", ";", ":", "–", "/")


@dataclass(frozen=True)
class Reading:
    """A sentence that is read: in which languages, and where in it the family's names stand.

    ``lexicon`` is that of the likely languages, ``suspected`` that of all possible ones, in any of
    which a name may be a word.
    ``last`` is true of the last sentence of a text. ``own`` are the words of the names of whoever
    writes; ``called`` the names of the family, by patient.
    """

    sentence: Sentence
    lexicon: Lexicon
    suspected: Lexicon
    languages: frozenset[str]
    places: Sequence[Place]
    called: dict[str, Called]
    own: frozenset[str]
    first: bool
    last: bool

    @cached_property
    def tokens(self) -> Sequence[Token]:
        """The tokens of the sentence."""
        return self.sentence.tokens

    @cached_property
    def words(self) -> list[str]:
        """What the tokens are compared by."""
        return [token.word for token in self.sentence.tokens]

    @cached_property
    def named(self) -> frozenset[int]:
        """The indices of the tokens that may name somebody of the family."""
        return frozenset(at for place in self.places for at in range(place.start, place.end))

    @cached_property
    def endings(self) -> frozenset[str]:
        """The endings that follow an apostrophe."""
        return frozenset(
            ending for language in self.languages for how, ending in endings(language) if how == "'"
        )

    def word(self, at: int) -> str:
        """The word at an index, ``""`` outside of the sentence."""
        return self.words[at] if 0 <= at < len(self.words) else ""

    def token(self, at: int) -> Token | None:
        """The token at an index; ``None`` outside of the sentence."""
        return self.tokens[at] if 0 <= at < len(self.tokens) else None

    def before(self, section: str, end: int) -> int:
        """The length of the longest phrase of a section that ends before ``end``."""
        return self.lexicon[section].before(self.words, end)

    def at(self, section: str, start: int) -> int:
        """The length of the longest phrase of a section that begins at ``start``."""
        return self.lexicon[section].at(self.words, start)

    def skip(self, section: str, start: int, most: int) -> int:
        """Where the text goes on after at most ``most`` words of a section."""
        for _ in range(most):
            length = self.at(section, start)
            if not length:
                break
            start += length
        return start

    def skip_back(self, section: str, end: int, most: int) -> int:
        """Where the words of a section before ``end`` begin, at most ``most`` of them."""
        for _ in range(most):
            length = self.before(section, end)
            if not length:
                break
            end -= length
        return end

    def is_capital(self, place: Place) -> bool:
        """Whether it is written with capitals."""
        return all(self.tokens[at].is_capital for at in range(place.start, place.end))

    def is_first(self, place: Place) -> bool:
        """Whether it would be capitalised whatever it is."""
        return self.tokens[place.start].first

    def possessive(self, place: Place) -> int:
        """The index after a possessive (``Leo's``, ``Leos``, ``Leo'nun``); 0 if it is none."""
        if self.word(place.end) == "'":
            after = self.token(place.end + 1)
            if after is not None and after.close and after.word in ("s", *self.endings):
                return place.end + 2
            if self.words[place.end - 1].endswith(("s", "x", "z")):
                return place.end + 1
        return place.end if place.owning else 0

    def after(self, place: Place) -> int:
        """The index after the name, and after the ending that an apostrophe joins to it."""
        return max(place.end, self.possessive(place))

    def name_class(self, place: Place) -> str:
        """The class of ordinary word that the name is in these languages, ``""`` if it is none."""
        classes = [self.suspected.word_class(word) for word in place.name]
        if len("".join(place.name)) <= 2:
            return classes[0] or "thing"
        return classes[0] if all(classes) else ""

    def family_of(self, patient: str) -> frozenset[str]:
        """The words of a patient's family names."""
        return _words_of_all(self.called[patient].family)

    def given_of(self, patient: str) -> frozenset[str]:
        """The words of a patient's given names."""
        return _words_of_all(self.called[patient].given)

    def is_mark(self, at: int) -> bool:
        """Whether something else than a word or a number stands there, or nothing."""
        token = self.token(at)
        return token is None or not (token.is_word or token.is_number)

    def is_end(self, at: int) -> bool:
        """Whether the sentence is over there, but for marks."""
        return all(self.is_mark(index) for index in range(at, len(self.tokens)))

    def is_beginning(self, at: int) -> bool:
        """Whether nothing but marks stands before."""
        return all(self.is_mark(index) for index in range(at))

    def joint(self, at: int) -> int:
        """Where a list goes on after ``and``, a comma or the like at ``at``; ``at`` if none."""
        start = at
        if self.word(at) in (",", "/"):
            at += 1
        if self.word(at) in ("&", "+"):
            return at + 1
        return at + self.at("and", at) if self.at("and", at) else max(start, at)

    def row(self, place: Place) -> tuple[int, int]:
        """From where to where names of the family stand in one row: ``Leo, Mia and Will``."""
        start, end, after = place.start, place.end, -1
        for number in range(len(self.places) - 1, -1, -1):
            other = self.places[number]
            if other.end < start and self._after[number] == start:
                start = other.start
        for other in self.places:
            if other.start > end:
                after = self.joint(end) if after < 0 else after
                if other.start == after:
                    end, after = other.end, -1
        return start, end

    @cached_property
    def _after(self) -> list[int]:
        """Where a list would go on after each of the places: many of them ask in a row."""
        return [self.joint(place.end) for place in self.places]


# It is asked of every place where a name stands.
@lru_cache(maxsize=4096)
def _words_of_all(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for name in names for word in words_of(name))

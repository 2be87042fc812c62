"""What is known of each language, read from ``languages/``; and which one a sentence is in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from threadwell.encounters.mentions.tokens import Token, words_of

#: The sections whose words are names that are ordinary words, the strongest suspicion first.
WORD_CLASSES = ("time", "thing", "verb", "modal")
#: Sections that do not hold words of the language.
#: The sections by whose words a language is told, and how much each word says.
_TELLING = {
    **dict.fromkeys(("sick", "does", "child", "sibling", "owned", "hello", "thanks"), 0.7),
    **dict.fromkeys(("no", "is", "other", "well", "about", "often", "soft", "like"), 0.5),
    "function": 1.0,
}
#: What the words of a sentence have to say together before a language is taken for told.
_LEAST = 0.45
#: The part of the best language's score that makes another one likely, or possible.
_LIKELY = 0.75
_POSSIBLE = 0.4
_NOT_WORDS = frozenset(
    ("flags", "endings", "initials", "brand", "unsaid", "clitics", *WORD_CLASSES)
)


class Phrases:
    """Phrases of one or several words, found at a place in a sequence of words."""

    __slots__ = ("_longest", "_phrases")

    def __init__(self, phrases: Iterable[tuple[str, ...]]) -> None:
        self._phrases = frozenset(phrases)
        #: The longest phrase by its first word, and by its last: most words begin and end none.
        self._longest: tuple[dict[str, int], dict[str, int]] = ({}, {})
        for phrase in self._phrases:
            for by_word, word in zip(self._longest, (phrase[0], phrase[-1]), strict=True):
                by_word[word] = max(len(phrase), by_word.get(word, 0))

    def __contains__(self, word: str) -> bool:
        return (word,) in self._phrases

    def __bool__(self) -> bool:
        return bool(self._phrases)

    def before(self, words: Sequence[str], end: int) -> int:
        """The length of the longest phrase that ends before ``end``; 0 if none does."""
        longest = self._longest[1].get(words[end - 1]) if end > 0 else 0
        if not longest:
            return 0
        for length in range(min(longest, end), 0, -1):
            if tuple(words[end - length : end]) in self._phrases:
                return length
        return 0

    def at(self, words: Sequence[str], start: int) -> int:
        """The length of the longest phrase that begins at ``start``; 0 if none does."""
        longest = self._longest[0].get(words[start]) if start < len(words) else 0
        if not longest:
            return 0
        for length in range(min(longest, len(words) - start), 0, -1):
            if tuple(words[start : start + length]) in self._phrases:
                return length
        return 0


class _Sections(dict[str, Phrases]):
    """Sections by name. One that no language has is empty."""

    def __missing__(self, name: str) -> Phrases:
        return self.setdefault(name, Phrases(()))


class Lexicon:
    """The sections of one language or of several together."""

    def __init__(self, sections: dict[str, set[tuple[str, ...]]]) -> None:
        self._sections = _Sections({name: Phrases(entries) for name, entries in sections.items()})
        flags = sections.get("flags", ())
        self.nouns = ("nouns",) in flags
        self.subjects = ("subjects",) in flags
        self._words = frozenset(
            word
            for name, entries in sections.items()
            if name not in _NOT_WORDS
            for entry in entries
            if len(entry) == 1
            for word in entry
        )

    def __getitem__(self, section: str) -> Phrases:
        return self._sections[section]

    def is_word(self, word: str) -> bool:
        """Whether it is a word of the language that is known to be no name, whatever else."""
        return word in self._words

    def word_class(self, word: str) -> str:
        """The class of a name that is an ordinary word, ``""`` of one that is none."""
        for name in WORD_CLASSES:
            if word in self[name]:
                return name
        return "thing" if word in self._words else ""


@cache
def lexicon(languages: frozenset[str]) -> Lexicon:
    """What is known of these languages together."""
    sections: dict[str, set[tuple[str, ...]]] = {}
    for language in languages:
        for name, entries in _sections(language).items():
            sections.setdefault(name, set()).update(entries)
    return Lexicon(sections)


@cache
def languages() -> frozenset[str]:
    """The codes of all languages that something is known of."""
    folder = files(__package__).joinpath("languages")
    names = (entry.name for entry in folder.iterdir())
    return frozenset(name[:-4] for name in names if name.endswith(".txt"))


@cache
def endings(language: str) -> tuple[tuple[str, str], ...]:
    """The endings that a name takes: how each is put (``-``, ``+``, ``'``), and the letters."""
    folder = files(__package__).joinpath("languages")
    found: list[tuple[str, str]] = []
    for name, entry in _lines(folder.joinpath(f"{language}.txt").read_text("utf-8")):
        if name == "endings":
            found.append((entry[0], words_of(entry[1:])[0]))
    return tuple(dict.fromkeys(found))


@cache
def endings_of(languages: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """The endings of several languages, each once, that no apostrophe joins to the name."""
    found = {one for language in languages for one in endings(language) if one[0] != "'"}
    return tuple(sorted(found))


@cache
def clitics() -> frozenset[str]:
    """Words of one letter that are written together with the word that follows."""
    return frozenset(entry[0] for entry in _all_of("clitics"))


@cache
def abbreviations() -> frozenset[str]:
    """Words after which a full stop ends no sentence."""
    return frozenset(
        entry[0] for entry in _all_of("title") | _all_of("placebefore") if len(entry) == 1
    ) | {"mt", "ave", "vs", "approx", "ca", "bzw", "z", "usw", "tel", "nr", "no"} - {"san", "m"}


class Spoken(NamedTuple):
    """The languages that a text is ``likely`` in, and those that are ``possible``, too."""

    likely: frozenset[str]
    possible: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.likely)


def spoken(tokens: Iterable[Token]) -> Spoken:
    """The languages that a text may be in, going by its words; none if they do not tell."""
    scores: dict[str, float] = {}
    known = _telling_words()
    for token in tokens:
        for language, weight in known.get(token.word, ()):
            scores[language] = scores.get(language, 0) + weight
    best = max(scores.values(), default=0)
    if best < _LEAST:
        return Spoken(frozenset(), frozenset())
    return Spoken(
        frozenset(language for language, score in scores.items() if score >= _LIKELY * best),
        frozenset(language for language, score in scores.items() if score >= _POSSIBLE * best),
    )


@cache
def _telling_words() -> dict[str, list[tuple[str, float]]]:
    by_word: dict[str, dict[str, float]] = {}
    for language in languages():
        for section, weight in _TELLING.items():
            for entry in _sections(language).get(section, ()):
                for word in entry:
                    found = by_word.setdefault(word, {})
                    says = weight if len(entry) == 1 else weight / 2
                    found[language] = max(says, found.get(language, 0))
    # A word that several languages have tells less of each.
    return {
        word: [(language, weight * len(found) ** -0.5) for language, weight in found.items()]
        for word, found in by_word.items()
    }


@cache
def _all_of(section: str) -> frozenset[tuple[str, ...]]:
    return frozenset(
        entry for language in languages() for entry in _sections(language).get(section, ())
    )


@cache
def _sections(language: str) -> dict[str, frozenset[tuple[str, ...]]]:
    folder = files(__package__).joinpath("languages")
    out: dict[str, set[tuple[str, ...]]] = {}
    for name, entry in _lines(folder.joinpath(f"{language}.txt").read_text("utf-8")):
        if words := tuple(words_of(entry)):
            out.setdefault(name, set()).add(words)
    texted = {words[0]: words[1] for words in out.pop("texted", set())}
    for entries in out.values():
        for words in tuple(entries):
            entries.update(_as_texted(words, texted))
    return {name: frozenset(entries) for name, entries in out.items()}


def _as_texted(words: tuple[str, ...], texted: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """A phrase without its apostrophes, and with what people type for its words."""
    if "'" in words[1:-1]:
        joined: list[str] = []
        for word in words:
            joins = word in ("t", "s", "m") and len(joined) > 1 and joined[-1] == "'"
            if joins:
                joined[-2:] = [joined[-2] + word]
            else:
                joined.append(word)
        words = tuple(joined)
        yield words
    if any(word in texted for word in words):
        yield tuple(texted.get(word, word) for word in words)


def _lines(text: str) -> Iterable[tuple[str, str]]:
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        for entry in filter(None, map(str.strip, rest.split(","))):
            yield name, entry

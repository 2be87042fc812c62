"""A text as words and marks, in sentences. Every step is linear in the length of the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from threadwell.fhir.search.fold import fold

#: Vowel signs and points that Python's ``\w`` does not take for a part of a word.
_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
    "\u0900-\u0903\u093a-\u0963\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a4d\u0a81-\u0acd\u0b01-\u0b57"
    "\u0b82-\u0bcd\u0c00-\u0c56\u0c81-\u0cd6\u0d00-\u0d4d\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3"
)
_TOKEN = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{_SIGNS}])*|\d+|\n|[^\s]")
#: What may be an address, or a file: all that is written without a space around one of these marks.
_CHUNK = re.compile(r"(?<!\S)[^\s@#./]*[@#./]\S*")
_FILE = re.compile(r"\.[A-Za-z]{2,5}[0-9]?$")
_APOSTROPHES = "'’‘ʼ`´"
_HYPHENS = "-\u2010\u2011"
#: Little words that lose their vowel before another word: there, an apostrophe is no more than
#: a space.
_ELIDED = frozenset(
    (
        *("l", "d", "qu", "jusqu", "lorsqu", "puisqu", "quelqu", "n", "s", "c", "j", "m", "t"),
        *("dell", "all", "nell", "dall", "sull", "un", "quell", "quest", "sant"),
    )
)
_DASHES = "\u2012\u2013\u2014\u2015"
_STOPS = ".!?…。！？｡؟।\u037e"
_QUOTES = {"“": "”", "„": "“”", "«": "»", "»": "«", '"': '"', "「": "」", "『": "』"}
_LONGEST_QUOTE = 600
_LONGEST_NAME = 200
#: A line at least as long may go on in the next one, as mail programs break them.
_BROKEN_LINE = 50
#: A sentence without an end is cut at its next mark after so many tokens, or at last anyhow: what
#: is asked of a place looks through its sentence.
_MOST_TOKENS = 200
_MOST_AT_ALL = 300
#: Words that end a sentence before a full stop, unless a number follows.
_NUMBERED = frozenset(("no", "nr"))
_MASK = "\u00a4"
#: Marks after which a word has no capital just because it stands there.
_GOES_ON = frozenset(("'", ",", "/", "&", "+", "(", ")", ";", _MASK))


class Token(NamedTuple):
    """A word, a number or a mark. ``word`` is what is compared; marks are their own word.

    ``first`` is true of a word that is capitalised wherever it stands: at a sentence's beginning,
    after a colon, a dash or a picture. ``close`` says that nothing stands before it, not even a
    space, and ``joined`` that a hyphen does.
    """

    text: str
    word: str
    start: int
    end: int
    first: bool
    close: bool
    joined: bool = False

    @property
    def is_word(self) -> bool:
        """Whether it is a word of letters."""
        return self.text[0].isalpha()

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return self.text[0].isdigit()

    @property
    def is_capital(self) -> bool:
        """Whether it is a word with a capital at its beginning."""
        return self.text[0].isupper()

    @property
    def is_upper(self) -> bool:
        """Whether it is written in capitals throughout."""
        return len(self.text) > 1 and self.text.isupper()


@dataclass(frozen=True, slots=True)
class Sentence:
    """The tokens of one sentence.

    ``mixed`` says that capitals mean something in it: neither all of its words have them, as in a
    title, nor all of its letters.
    """

    tokens: Sequence[Token]
    mixed: bool


def sentences(text: str, abbreviations: frozenset[str]) -> list[Sentence]:
    """The sentences of a text. After ``abbreviations`` (``dr``) a full stop ends none."""
    cut = _cut(_masked(composed(text)), abbreviations)
    return [Sentence(tokens, _is_mixed(tokens)) for tokens in cut]


def composed(text: str) -> str:
    """``text`` with each letter and its accents as one character, where there is such a one."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def words_of(text: str) -> list[str]:
    """The words of a name or a phrase, as they are compared; hyphens are left out."""
    out: list[str] = []
    for match in _TOKEN.finditer(composed(text)):
        word = _compared(match.group())
        if word not in (".", "-", "\n") and not (word == "'" and out and out[-1] in _ELIDED):
            out.append(word)
    return out


def _compared(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text.lower()
    if text in _APOSTROPHES:
        return "'"
    if text in _HYPHENS:
        return "-"
    if text in _DASHES:
        return "–"
    # Hangul is taken apart by ``fold``, and a syllable would then be the beginning of another.
    return unicodedata.normalize("NFC", fold(text)) or text


def _masked(text: str) -> str:
    """``text`` with marks where something is written that is not said: addresses, quotations."""
    if "@" in text or "." in text or "#" in text or "/" in text:
        text = _CHUNK.sub(_without_addresses, text)
    out: list[str] = []
    for line in text.split("\n"):
        if line.lstrip().startswith((">", "|")):
            out.append(_MASK * len(line))
        else:
            out.append(_without_quotes(line))
    return "\n".join(out)


def _without_addresses(match: re.Match[str]) -> str:
    chunk = match.group()
    bare = chunk.rstrip(".,;:!?)")
    web = "://" in bare or bare.lower().startswith(("www.", "#"))
    if web or ("@" in bare and len(bare) > 1) or _is_file(bare):
        return _MASK * len(bare) + chunk[len(bare) :]
    return chunk


def _is_file(chunk: str) -> bool:
    """Whether it is a file's name; "fever.Leo" only lacks a space."""
    if len(chunk) > _LONGEST_NAME or not _FILE.search(chunk[1:]):
        return False
    return not chunk[chunk.rfind(".") + 1 :][:1].isupper()


def _without_quotes(line: str) -> str:
    if not any(quote in line for quote in _QUOTES):
        return line
    out, at = [], 0
    while at < len(line):
        closing = _QUOTES.get(line[at])
        end = _closed(line, at, closing) if closing else -1
        if end > 0:
            out.append(_MASK * (end + 1 - at))
            at = end + 1
        else:
            out.append(line[at])
            at += 1
    return "".join(out)


def _closed(line: str, at: int, closing: str) -> int:
    found = [line.find(mark, at + 1, at + _LONGEST_QUOTE) for mark in closing]
    return min((one for one in found if one > 0), default=-1)


def _cut(text: str, abbreviations: frozenset[str]) -> Iterator[list[Token]]:
    tokens: list[Token] = []
    first, joined = True, False
    ends = _line_ends(text) if "\n" in text else frozenset[int]()
    last = -1
    for match in _TOKEN.finditer(text):
        written, start, end = match.group(), match.start(), match.end()
        close = start == last
        last = end
        if written == "\n":
            if start in ends and tokens:
                yield tokens
                tokens = []
            first = first or start in ends
            continue
        if written in _STOPS and _stops(text, start, tokens, abbreviations):
            if tokens:
                tokens.append(Token(written, written, start, end, False, close))
                yield tokens
                tokens = []
            first = True
            continue
        if written == "." and tokens:
            continue
        if written in _HYPHENS and close and text[end : end + 1].isalnum():
            joined = True
            continue
        if written in _APOSTROPHES and close and tokens and tokens[-1].word in _ELIDED:
            continue
        word = _compared(written)
        if len(tokens) >= _MOST_TOKENS and (not written.isalnum() or len(tokens) > _MOST_AT_ALL):
            yield tokens
            tokens = []
        tokens.append(Token(written, word, start, end, first, close, joined))
        joined = False
        if written[0].isalpha() or written[0].isdigit():
            first = False
        elif word not in _GOES_ON:
            first = True
    if tokens:
        yield tokens


def _line_ends(text: str) -> frozenset[int]:
    """Where a line break ends a sentence, and is not just the end of the paper."""
    out: set[int] = set()
    at = 0
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1]):
        at += len(line)
        after = lines[number + 1]
        goes_on = (
            len(line.rstrip()) >= _BROKEN_LINE and len(after.split()) > 3 and after[:1].isalpha()
        )
        if not goes_on:
            out.add(at)
        at += 1
    return frozenset(out)


def _stops(text: str, at: int, tokens: Sequence[Token], abbreviations: frozenset[str]) -> bool:
    if text[at] != ".":
        return True
    after = text[at + 1 : at + 2]
    before = tokens[-1] if tokens else None
    if before is not None and before.end == at:
        if before.word in _NUMBERED:
            # "No. 5", but "No. Mia has it".
            if text[at + 1 : at + 4].strip()[:1].isdigit():
                return False
        elif before.word in abbreviations or (len(before.text) == 1 and before.is_capital):
            return False
        if before.is_number and after.isdigit():
            return False
    return not after or after.isspace() or after.isupper() or after in "\"'”»)…._"


def _is_mixed(tokens: Sequence[Token]) -> bool:
    words = [token for token in tokens if token.is_word]
    small = sum(not token.is_capital for token in words)
    if not small:
        return len(words) < 3
    # In a title, only the short words are small.
    long = [token for token in words if len(token.text) > 3]
    return len(long) < 4 or sum(token.is_capital for token in long) < 0.8 * len(long)

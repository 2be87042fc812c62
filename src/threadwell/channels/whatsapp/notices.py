"""Whether a text is a sentence of WhatsApp itself about the chat: who joined, a missed call.

A word within a text never decides: the whole of it has to be a known sentence, in a place where
WhatsApp writes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from threadwell.channels.whatsapp.lines import MARKS
from threadwell.channels.whatsapp.sentences import CALLS, SENTENCES

_MARKS = re.compile(f"[{MARKS}\u200b-\u200d]")
_GAP = re.compile(r"\{(?:who|joiner|new)?\}")
#: Gaps that are somebody of the chat, and gaps that are those who come to it.
_WHO = frozenset({"{who}", "{joiner}"})
_NEW = frozenset({"{joiner}", "{new}"})
_BETWEEN_NAMES = re.compile(r", | (?:and|y|e|und|et|en) ")
#: A sentence of WhatsApp's is no longer, names and all.
_LONGEST = 600
_LONGEST_CALL = 60
_APOSTROPHES = str.maketrans("\u2019\u02bc", "''")

#: A sentence as what stands between its gaps, and the gaps.
_Sentence = tuple[tuple[str, ...], tuple[str, ...]]


def plain(text: str) -> str:
    """``text`` without marks of direction, with plain blanks, composed, without its margins."""
    if text.isascii():
        return text.strip()
    bare = _MARKS.sub("", text).replace("\u202f", " ").replace("\u00a0", " ")
    return unicodedata.normalize("NFC", bare).strip()


def is_notice(text: str, is_somebody: Callable[[str], bool] | None = None) -> bool:
    """Whether the whole of ``text`` is a sentence of WhatsApp's.

    ``is_somebody`` tells of a name, in small letters, whether anybody in the chat has it; without
    it any name will do, which is right where the place is one in which only WhatsApp writes.
    """
    return _found(text, is_somebody) is not None


def joined(text: str, is_somebody: Callable[[str], bool]) -> tuple[str, ...]:
    """Those who came to the chat, in small letters, where ``text`` is the sentence that says so."""
    found = _found(text, is_somebody)
    if found is None:
        return ()
    gaps, filled = found
    new = (_BETWEEN_NAMES.split(one) for gap, one in zip(gaps, filled, strict=True) if gap in _NEW)
    return tuple(name.strip() for names in new for name in names)


def _found(
    text: str, is_somebody: Callable[[str], bool] | None
) -> tuple[tuple[str, ...], list[str]] | None:
    """The gaps of the sentence that ``text`` is, and what stands in them."""
    if len(text) > _LONGEST:
        return None
    said = plain(text).translate(_APOSTROPHES)
    if "\n" in said:
        return None
    said = said.casefold().rstrip(". ")
    for sentence in _candidates(said):
        filled = _filled(sentence, said)
        if filled is None:
            continue
        gaps = sentence[1]
        people = (one for gap, one in zip(gaps, filled, strict=True) if gap in _WHO)
        if is_somebody is None or all(map(is_somebody, people)):
            return gaps, filled
    return None


def is_call(text: str) -> bool:
    """Whether the whole of ``text`` is what Android writes of a call, and a person might too."""
    return len(text) < _LONGEST_CALL and plain(text).casefold().rstrip(". ") in CALLS


def _candidates(said: str) -> Iterator[_Sentence]:
    """The sentences that may be ``said``, going by how it begins."""
    yield from _BY_BEGINNING.get(said[:_KEY], ())
    yield from _WITHOUT_BEGINNING


def _filled(sentence: _Sentence, said: str) -> list[str] | None:
    """What stands in the gaps of ``sentence`` where it is ``said``; ``None`` where it is not.

    Each gap ends at the first place where what follows it stands, so the work grows with the
    length of the text only.
    """
    parts, gaps = sentence
    if not said.startswith(parts[0]):
        return None
    at = len(parts[0])
    filled: list[str] = []
    for number, part in enumerate(parts[1:]):
        is_last = number == len(parts) - 2
        if is_last:
            end = len(said) - len(part)
            if end < at or not said.endswith(part):
                return None
        else:
            end = said.find(part, at + 1 if gaps[number] in _WHO else at)
            if end < 0:
                return None
        if end == at and gaps[number] in _WHO:
            return None
        filled.append(said[at:end].strip())
        at = end + len(part)
    return filled if at == len(said) else None


def _parsed(line: str) -> _Sentence:
    return tuple(_GAP.split(line)), tuple(_GAP.findall(line))


_ALL = tuple(_parsed(line.casefold()) for line in SENTENCES)
_KEY = 4
_WITHOUT_BEGINNING = tuple(one for one in _ALL if len(one[0][0]) < _KEY)
_BY_BEGINNING: dict[str, list[_Sentence]] = {}
for _one in _ALL:
    if len(_one[0][0]) >= _KEY:
        _BY_BEGINNING.setdefault(_one[0][0][:_KEY], []).append(_one)

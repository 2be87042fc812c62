"""Which patients a text names: how a mother's message tells which of her children it is about."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from threadwell.fhir.search.fold import fold

_WORD = re.compile(r"[^\W_]+")
#: Scripts that put no space between words: there a name is looked for anywhere in the text.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SHORTEST = 2


class Names:
    """The given names of a circle's patients, ready to be looked for.

    A name that two of them share tells nothing and is never matched.
    """

    def __init__(self, names: Mapping[str, Iterable[str]]) -> None:
        """``names`` are the given names and nicknames of each patient (``Patient/…``)."""
        owners: dict[tuple[str, ...], set[str]] = {}
        for patient, written in names.items():
            for name in written:
                if folded := tuple(fold(word) for word in _words(name)):
                    owners.setdefault(folded, set()).add(patient)
        unique = {words: next(iter(who)) for words, who in owners.items() if len(who) == 1}
        self._unspaced = {
            "".join(words): patient
            for words, patient in unique.items()
            if _UNSPACED.search("".join(words))
        }
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for words, patient in unique.items():
            if len("".join(words)) >= _SHORTEST:
                self._by_first.setdefault(words[0], []).append((words, patient))
        self._taken = {word for words in owners for word in words}

    def mentioned(self, text: str) -> frozenset[str]:
        """The patients whom ``text`` names, whatever the case, accents and possessive."""
        written = _words(text)
        folded = [fold(word) for word in written]
        found: set[str] = set()
        for at, word in enumerate(folded):
            for words, patient in self._by_first.get(word, ()):
                if tuple(folded[at : at + len(words)]) == words:
                    found.add(patient)
            # "Bens fever", "Leos Fieber": only as a name is written, or "marks" would be Mark's.
            if word.endswith("s") and word not in self._taken and written[at][0].isupper():
                found.update(
                    patient
                    for words, patient in self._by_first.get(word[:-1], ())
                    if len(words) == 1
                )
        if self._unspaced:
            whole = fold(text)
            found.update(patient for name, patient in self._unspaced.items() if name in whole)
        return frozenset(found)


def _words(text: str) -> list[str]:
    # Composed first: a combining accent is no letter, and would end the word.
    return _WORD.findall(text if text.isascii() else unicodedata.normalize("NFC", text))

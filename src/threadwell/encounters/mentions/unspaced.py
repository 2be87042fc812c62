"""Names in scripts that put no space between words: Chinese, Japanese, Thai; and Korean.

Such a name is looked for anywhere in the text, and what stands right before and after it decides.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from threadwell.encounters.mentions.forms import Called, is_unspaced

_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7af]")
_THAI = re.compile("[\u0e00-\u0eff]")
_LETTER = re.compile(r"[^\W\d_]")
#: How far after a name an illness is said of it.
_SAID = 14
#: What may be beside names, of marks and spaces, in a text that is nothing but names.
_SHORT = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A name from ``start`` to ``end`` of a text; ``denied`` where it is said not to be meant."""

    patient: str
    start: int
    end: int
    denied: bool = False


class Unspaced:
    """The names of some patients in such scripts."""

    def __init__(self, called: Mapping[str, Called]) -> None:
        owners: dict[str, set[str]] = {}
        for patient, names in called.items():
            for name in names.given:
                if is_unspaced(name):
                    owners.setdefault("".join(name.split()), set()).add(patient)
        self._names = {name: next(iter(who)) for name, who in owners.items() if len(who) == 1}
        self._longer = {
            name: [other for other in owners if name in other and name != other]
            for name in self._names
        }
        self._family = {
            patient: {"".join(one.split()) for one in names.family}
            for patient, names in called.items()
        }

    def __bool__(self) -> bool:
        return bool(self._names)

    def found(self, text: str) -> Iterator[Found]:
        """Where the names count, and where they are denied."""
        if not is_unspaced(text):
            return
        spans: dict[int, tuple[int, str]] = {}
        for name in self._names:
            at = text.find(name)
            while at >= 0:
                if not self._is_inside(text, name, at) and not _is_doubled(text, name, at):
                    spans[at] = (at + len(name), name)
                at = text.find(name, at + len(name))
        alone = self._are_alone(text)
        for start, (end, name) in sorted(spans.items()):
            patient = self._names[name]
            tongue = _tongue(text, name)
            before, after = text[max(0, start - 12) : start], text[end : end + 24]
            if _ends(before, tongue["nobefore"]) or _begins(after.lstrip(), tongue["noafter"]):
                yield Found(patient, start, end, denied=True)
            elif alone or self._counts(tongue, name, patient, before, after):
                yield Found(patient, start, end)

    def _is_inside(self, text: str, name: str, at: int) -> bool:
        return any(text.startswith(other, at - other.find(name)) for other in self._longer[name])

    def _are_alone(self, text: str) -> bool:
        """Whether a text is nothing but names: the answer to a question."""
        for name in sorted(self._names, key=len, reverse=True):
            text = text.replace(name, "")
        return len(text) < _SHORT and not _LETTER.search(text)

    def _counts(
        self,
        tongue: Mapping[str, tuple[str, ...]],
        name: str,
        patient: str,
        before: str,
        after: str,
    ) -> bool:
        honorific = _begins(after, tongue["honorific"])
        rest = after[len(honorific) :]
        family = _ends(before, tuple(self._family[patient]))
        if not family and _ends(before, tongue["surnames"]):
            # Of a letter within a word nobody can tell: then it is not this patient for sure.
            return False
        for section in ("likeafter", "whose", "titleafter", "called", "or"):
            found = any(_begins(one.lstrip(), tongue[section]) for one in (after, rest))
            if found and not (section == "called" and self._said(tongue, rest)):
                return False
        for section in ("likebefore", "titlebefore", "calledbefore", "or"):
            if _ends(before.rstrip(), tongue[section]):
                return False
        child = _ends(before.rstrip(), tongue["childbefore"])
        if _HANGUL.match(name) and not _is_whole(before, after, family, tongue["particle"]):
            return False
        if _THAI.match(name):
            return bool(child)
        if family or len(honorific) > 1:
            return True
        if name in tongue["adverbs"]:
            # "My daughter 天天 has a fever" is "… every day" too.
            named = _ends(before, tongue["named"])
            return bool(named or (not _ends_in_letter(before) and _begins(rest, tongue["when"])))
        if child:
            return True
        if name in tongue["times"]:
            return False
        thing = name in tongue["things"] or len(name) < 2
        if _KANA.fullmatch(name[0]) and all(map(_KANA.match, name)):
            thing = True
        particle = _begins(rest, tongue["subject"] or tongue["particle"])
        if thing and _ends(before, tongue["pronoun"]):
            return False
        if thing and _HANGUL.match(name):
            return bool(honorific and particle and self._said(tongue, rest))
        if thing:
            return self._said(tongue, rest) and (
                bool(particle) or bool(_begins(rest, tongue["sick"]))
            )
        return True

    def _said(self, tongue: Mapping[str, tuple[str, ...]], rest: str) -> bool:
        clause = re.split("[,，。、!！?？\n]", rest[:_SAID])[0]
        return any(word in clause for word in tongue["sick"])


def _is_whole(before: str, after: str, family: str, particles: Iterable[str]) -> bool:
    """Whether a word of syllables is the name, and not a longer one that begins with it."""
    if not family and before and _HANGUL.match(before[-1]):
        return False
    ending = after[: next((at for at, c in enumerate(after) if not _HANGUL.match(c)), len(after))]
    return not ending or ending in particles


def _is_doubled(text: str, name: str, at: int) -> bool:
    """Whether a name such as 乐乐 is half of a word such as 快快乐乐."""
    if len(name) != 2 or name[0] != name[1]:
        return False
    end = at + 2
    beside = (text[max(0, at - 2) : at], text[end : end + 2])
    return any(len(two) == 2 and two[0] == two[1] and _LETTER.match(two) for two in beside)


def _ends_in_letter(text: str) -> bool:
    return bool(text) and _LETTER.match(text[-1]) is not None


def _tongue(text: str, name: str) -> Mapping[str, tuple[str, ...]]:
    if _HANGUL.match(name):
        return _sections("ko")
    if _THAI.match(name):
        return _sections("th")
    return _sections("ja" if _KANA.search(text) else "zh")


def _ends(text: str, phrases: Iterable[str]) -> str:
    return max((one for one in phrases if text.endswith(one)), key=len, default="")


def _begins(text: str, phrases: Iterable[str]) -> str:
    return max((one for one in phrases if text.startswith(one)), key=len, default="")


@cache
def _sections(language: str) -> Mapping[str, tuple[str, ...]]:
    text = files(__package__).joinpath("unspaced_languages", f"{language}.txt").read_text("utf-8")
    out: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        out[name] += tuple(filter(None, map(str.strip, rest.split(","))))
    return out

"""What beside its letters shows that a word is a name and tells whom a message is about."""

from __future__ import annotations

from threadwell.encounters.mentions.context import Reading
from threadwell.encounters.mentions.doubts import is_instead, leads_to, says_of_a_person, verb_of
from threadwell.encounters.mentions.forms import Place

_OLDEST = 120


def evidence(reading: Reading, place: Place) -> str:
    """What shows it, ``""`` if nothing does."""
    kind = reading.name_class(place)
    if place.name[0] in reading.own:
        # The sender has the same name: only what is said of a child is not said of themselves.
        return _child(reading, place) or _age(reading, place)
    plain = reading.is_capital(place) and not kind
    if plain:
        return "written"
    strong = _family(reading, place)
    if strong:
        return strong
    if reading.is_capital(place) and _is_subject(reading, place):
        return "about"
    if not reading.is_capital(place):
        return "" if kind else _of_small_letters(reading, place)
    if not reading.sentence.mixed:
        return _age(reading, place) or _says(reading, place, kind)
    return (
        _child(reading, place)
        or _age(reading, place)
        or _owns(reading, place, kind)
        or _says(reading, place, kind)
        or _within(reading, place, kind)
    )


def _of_small_letters(reading: Reading, place: Place) -> str:
    after = reading.after(place)
    for other in reading.places:
        # "leo and mia have": what is said of the last one is said of all.
        if other.start > after and reading.joint(after) == other.start:
            after = reading.after(other)
    if reading.possessive(place):
        return "possessive"
    if reading.before("about", place.start):
        return "about"
    at, verb = verb_of(reading, after)
    if verb or reading.at("does", at):
        return "verb"
    if _is_asked(reading, place):
        return "verb"
    return _child(reading, place) or _age(reading, place)


def _family(reading: Reading, place: Place) -> str:
    """The patient's family name beside it."""
    family = reading.family_of(place.patient)
    given = reading.given_of(place.patient)
    after = place.end
    while (word := reading.word(after)) in given and after < place.end + 3:
        after += 1
    if word in family:
        return "family"
    before = place.start - 1
    if reading.word(before) == ",":
        before -= 1
    return "family" if reading.word(before) in family else ""


def _is_subject(reading: Reading, place: Place) -> bool:
    """``it is about Rosa``, ``not Leo but Rosa``."""
    length = reading.before("about", place.start)
    said = reading.before("fresh", place.start) > length
    return bool(length and said) or is_instead(reading, place)


def _child(reading: Reading, place: Place) -> str:
    """``my son Will``, ``my daughter, May``, ``Will, my son``, ``her sister May``."""
    end = place.start
    end -= reading.before("named", end)
    if reading.word(end - 1) in (",", "(", ":"):
        end -= 1
    if length := reading.before("child", end) or reading.before("sibling", end):
        return "" if reading.before("another", end - length) else "child"
    after = place.end
    if reading.word(after) in (",", "(", "–"):
        after += 1
        if length := reading.at("mine", after):
            after += length
            if reading.at("child", after) or reading.at("child", after + 1):
                return "child"
    return ""


def _age(reading: Reading, place: Place) -> str:
    """``Will (7)``, ``May, 4,``, ``Will is 7``, ``7-year-old Will``."""
    after = place.end
    if reading.word(after) in (",", "(") and _is_age(reading, after + 1):
        number = after + 2
        if reading.word(number) in (",", ")") or reading.at("years", number):
            return "age"
        return "age" if reading.is_end(number) and reading.word(after) == "(" else ""
    if reading.word(after) == "(" and reading.at("age", after + 1):
        return "age" if _is_age(reading, after + 1 + reading.at("age", after + 1)) else ""
    length = reading.at("age", after)
    if length and _is_age(reading, after + length) and reading.at("years", after + length + 1):
        return "age"
    if unit := reading.before("years", place.start):
        before = reading.token(place.start - unit - 1)
        return "age" if before is not None and before.is_number else ""
    return ""


def _is_age(reading: Reading, at: int) -> bool:
    token = reading.token(at)
    return (
        token is not None and token.is_number and len(token.word) < 4 and int(token.word) <= _OLDEST
    )


def _owns(reading: Reading, place: Place, kind: str) -> str:
    """``May's fever``, ``Will's appointment``."""
    after = reading.possessive(place)
    if not after:
        return ""
    if leads_to(reading, after, "sick", 3):
        return "possessive"
    if kind != "time" and (leads_to(reading, after, "owned", 3) or not reading.is_first(place)):
        return "possessive"
    return ""


def _says(reading: Reading, place: Place, kind: str) -> str:
    """``May has a fever``, ``Is Rose sick?``, ``Will threw up``."""
    after = reading.after(place) if place.owning else place.end
    if says_of_a_person(reading, after):
        return "verb"
    at, verb = verb_of(reading, after)
    does = reading.at("does", at)
    if does and not (kind == "modal" and reading.at("bare", at) >= does):
        return "verb"
    if verb and kind in ("modal", "verb") and not reading.at("bare", at):
        return "verb"
    if verb and kind == "thing" and leads_to(reading, at + verb, "well", 3):
        return "verb" if _ends_well(reading, at + verb) else ""
    if kind != "time" or reading.before("is", place.start):
        return "verb" if _is_asked(reading, place) and _ends_ill(reading, place) else ""
    return ""


def _is_asked(reading: Reading, place: Place) -> bool:
    """``Is Rose …``, at the beginning of a sentence."""
    verb = reading.before("is", place.start)
    return bool(verb) and reading.is_beginning(place.start - verb)


def _ends_ill(reading: Reading, place: Place) -> bool:
    return leads_to(reading, place.end, "sick", 4)


def _ends_well(reading: Reading, at: int) -> bool:
    """``is better``, and not ``is better than …``."""
    for _ in range(4):
        if length := reading.at("well", at):
            return reading.is_mark(at + length)
        at += reading.at("soft", at)
    return False


def _within(reading: Reading, place: Place, kind: str) -> str:
    """Capitalised where only a name is."""
    if reading.is_first(place) or kind == "time" or reading.lexicon.nouns:
        return ""
    if reading.before("at", place.start):
        return ""
    return "written"

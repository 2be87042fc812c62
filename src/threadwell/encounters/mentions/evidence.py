"""What beside its letters shows that a word is a name and tells whom a message is about."""

from __future__ import annotations

from threadwell.encounters.mentions.addressed import is_which
from threadwell.encounters.mentions.context import Reading
from threadwell.encounters.mentions.doubts import is_helping, is_instead
from threadwell.encounters.mentions.forms import Place
from threadwell.encounters.mentions.said import is_fever, leads_to, shows_a_person, verb_of

_OLDEST = 120
#: Within so many words stands what somebody has hurt: ``her left little toe``.
_NEAR = 3


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
        return _of_small_word(reading, place, kind) if kind else _of_small_name(reading, place)
    if not reading.sentence.mixed:
        return _age(reading, place) or _says(reading, place, kind)
    return (
        _child(reading, place)
        or _age(reading, place)
        or _owns(reading, place, kind)
        or _says(reading, place, kind)
        or _within(reading, place, kind)
        or _is_given(reading, place)
        or _is_made_for(reading, place, kind)
    )


def _of_small_name(reading: Reading, place: Place) -> str:
    """Of a name in small letters that is no word: ``leo threw up``, ``mias rash``."""
    start, end = reading.row(place)
    after = reading.after(place)
    if place.owning and not reading.before("about", place.start):
        # An ending may as well be a part of another word: something must be said of its owner.
        said = leads_to(reading, after, "sick", 2) or leads_to(reading, after, "owned", 2)
        return "possessive" if said or shows_a_person(reading, after) else ""
    if reading.possessive(place):
        return "possessive"
    if start < place.start or end > place.end:
        row = [one for one in reading.places if start <= one.start and one.end <= end]
        if sum(not reading.name_class(one) for one in row) > 1:
            return "listed"
    if reading.before("about", place.start) or reading.before("fresh", place.start):
        return "about"
    told = reading.word(end) in (",", ":", "-", "–", "(")
    if leads_to(reading, end + told, "sick", 1) or is_fever(
        reading, end + told + reading.at("degrees", end + told)
    ):
        return "verb"
    # "leo and mia have": what is said of the last one is said of all.
    at, verb = verb_of(reading, max(after, end))
    if verb or reading.at("does", at):
        return "verb"
    if _is_asked(reading, place):
        return "verb"
    return _child(reading, place) or _age(reading, place)


def _of_small_word(reading: Reading, place: Place, kind: str) -> str:
    """Of a name in small letters that is a word: ``my son will is sick``, ``rose has a cough``."""
    helping = is_helping(reading, place)
    if (after := reading.possessive(place)) and (kind != "time" or not place.owning):
        # "marks inhaler", but not "marks on her arm".
        body = leads_to(reading, after, "body", 0 if place.owning else 1)
        if place.owning or kind == "time":
            return "possessive" if body and not reading.before("article", place.start) else ""
        said = leads_to(reading, after, "sick", 1) or leads_to(reading, after, "owned", 1)
        return "possessive" if said or body else ""
    if place.owning:
        return ""
    if child := _small_child(reading, place, helping=helping) or _age(reading, place):
        return child
    start, end = reading.row(place)
    listed = (start, end) != (place.start, place.end)
    if listed and kind != "time" and reading.before("about", start) and reading.is_mark(end):
        return "listed"
    if kind in ("modal", "verb") and _is_whom(reading, place):
        return "about"
    if kind == "verb" and _is_given(reading, place) and _is_dose(reading, place.end):
        return "about"
    if _is_asked(reading, place) and _is_done(reading, place, kind):
        return "verb"
    if not reading.lexicon.subjects or not _may_begin(reading, start):
        return ""
    if kind == "time" and helping and not listed:
        return ""
    at, _ = verb_of(reading, end)
    does = reading.at("does", at)
    if does and not _is_own(reading, at, does):
        return ""
    if shows_a_person(reading, end, helping=helping, owned=_owned(kind)):
        return "verb"
    if does and not (helping and reading.at("bare", at) >= does):
        return "verb"
    return "verb" if kind == "verb" and reading.at("aux", end) else ""


def _is_whom(reading: Reading, place: Place) -> bool:
    """``squeeze will in``, ``for mark this time``, ``it's will who has``: no place for a verb."""
    if place.name[0] in reading.lexicon["noun"]:
        return False
    if reading.before("sees", place.start):
        return bool(reading.at("when", place.end))
    if reading.before("preposition", place.start):
        return reading.is_mark(place.end) or bool(reading.at("when", place.end))
    return bool(reading.before("fresh", place.start) and reading.word(place.end) == "who")


def _is_dose(reading: Reading, at: int) -> bool:
    """``the amoxicillin``: of what is given, what nobody gives who only gives chase."""
    return bool(reading.at("article", at)) and leads_to(reading, at, "owned", 2)


def _is_done(reading: Reading, place: Place, kind: str) -> bool:
    """``does mark need to fast``, ``can will come``: a verb after a verb is a name.

    Of a noun: ``is chance ok to swim``.
    """
    state = reading.at("state", place.end)
    if kind not in ("modal", "verb"):
        return kind == "thing" and _is_able(reading, place)
    if shows_a_person(reading, place.end) or state:
        return True
    little = any(reading.at(one, place.end) for one in ("article", "mine", "pronoun", "object"))
    return bool(reading.at("bare", place.end)) and not little


def _small_child(reading: Reading, place: Place, *, helping: bool) -> str:
    """``my daughter may has``, ``for my son mark``; not ``my daughter may have``."""
    after = place.end
    if whom := _my_child(reading, place.start):
        at, verb = verb_of(reading, after)
        verb = verb or reading.at("does", at)
        if verb and not (helping and reading.at("bare", at)) and not reading.at("then", at + verb):
            return "child"
        ends = reading.is_mark(after) and reading.word(after) != "'"
        about = ends and reading.before("about", place.start - whom)
        return "child" if about else ""
    if reading.word(after) not in (",", "(") or helping:
        return ""
    mine = reading.at("mine", after + 1)
    said = mine and reading.at("child", after + 1 + mine)
    return "child" if said and reading.before("about", place.start) else ""


def _my_child(reading: Reading, end: int) -> int:
    """The length of ``my son`` before ``end``, 0 if nothing such stands there."""
    if length := reading.before("mychild", end):
        return length
    length = reading.before("child", end)
    mine = reading.before("mine", end - length) if length else 0
    return length + mine if mine else 0


def _may_begin(reading: Reading, at: int) -> bool:
    """Whether a sentence or a clause begins there."""
    if reading.is_beginning(at) or reading.is_mark(at - 1) or reading.before("and", at):
        return True
    return bool(reading.before("begins", at) or reading.before("fresh", at))


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
        if is_which(reading, after):
            return "child"
        if length := reading.at("mine", after):
            after += length
            if reading.at("child", after) or reading.at("child", after + 1):
                return "child"
    return ""


def _age(reading: Reading, place: Place) -> str:
    """``Will (7)``, ``May, 4,``, ``Will is 7``, ``7-year-old Will``."""
    after = place.end
    if reading.word(after) in (",", "(", "-", "–") and _is_age(reading, after + 1):
        number = after + 2
        if reading.word(number) in (",", ")") or reading.at("years", number):
            return "age"
        return "age" if reading.is_end(number) and reading.word(after) == "(" else ""
    if reading.word(after) == "(" and reading.at("age", after + 1):
        return "age" if _is_age(reading, after + 1 + reading.at("age", after + 1)) else ""
    if (length := reading.at("article", after)) and _is_age(reading, after + length):
        return "age" if reading.at("years", after + length + 1) else ""
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
    if leads_to(reading, after, "sick", 3) or leads_to(reading, after, "body", 3):
        return "possessive"
    if kind != "time" and (leads_to(reading, after, "owned", 3) or not reading.is_first(place)):
        return "possessive"
    return ""


def _says(reading: Reading, place: Place, kind: str) -> str:
    """``May has a fever``, ``Is Rose sick?``, ``Will threw up``."""
    start, end = reading.row(place)
    after = reading.after(place) if place.owning else end
    # "Will and May need": a list of names is followed by a verb as one name is.
    helping = is_helping(reading, place) and start == place.start and end == place.end
    if (also := reading.joint(after)) > after and reading.at("pronoun", also):
        # "Rose and I have": what follows is said of both.
        after = also + reading.at("pronoun", also)
    at, verb = verb_of(reading, after)
    does = reading.at("does", at)
    if does and not _is_own(reading, at, does):
        return ""
    if shows_a_person(reading, after, helping=helping, owned=_owned(kind)):
        return "verb"
    if does and not (helping and reading.at("bare", at) >= does):
        return "verb"
    if verb and not reading.at("have", at) and reading.at("another", at + verb):
        # "Will is a strong word": only of a person who is told to be one.
        return "verb" if leads_to(reading, at + verb, "child", 3) else ""
    follows = (verb and not reading.at("bare", at)) or reading.at("aux", after)
    if kind in ("modal", "verb") and follows and place.name[0] not in reading.lexicon["noun"]:
        return "verb"
    if verb and kind == "thing" and leads_to(reading, at + verb, "well", 3):
        return "verb" if _ends_well(reading, at + verb) else ""
    if kind != "time" or reading.before("is", place.start):
        asked = _is_asked(reading, place)
        return "verb" if asked and (_ends_ill(reading, place) or _is_able(reading, place)) else ""
    return ""


def _is_own(reading: Reading, at: int, does: int) -> bool:
    """Whether what somebody does is done to what a patient has: ``cut her finger``.

    Things and virtues do the same to others, and to something else: ``cut her nap short``, ``got
    him through it``. What is done to nobody is somebody's own (*vomited*).
    """
    after = at + does
    if reading.at("light", at) == does and not _is_hurt(reading, after):
        return False
    if not reading.before("whose", after):
        whom = reading.at("whose", after) or reading.at("whom", after)
        if not whom:
            return True
        after += whom
    return any(reading.at("part", place) for place in range(after, after + _NEAR))


def _is_hurt(reading: Reading, at: int) -> bool:
    """Whether a person fell or hurts: ``off the bed``, ``when she walks``, ``her knee``.

    Hope falls, and love hurts, without any of that.
    """
    for here in range(at, at + 2 * _NEAR):
        if reading.at("part", here) or reading.at("fallen", here):
            return True
        if reading.is_mark(here) or reading.at("asking", here):
            return False
    return False


def _is_able(reading: Reading, place: Place) -> bool:
    """``is Autumn ok to go back``, and not ``is May ok``."""
    state = reading.at("state", place.end)
    return bool(state) and leads_to(reading, place.end + state, "acts", 1)


def _owned(kind: str) -> str:
    """The section of what whoever has such a name may own, and no month or season does."""
    return "body" if kind == "time" else "owned"


def _is_asked(reading: Reading, place: Place) -> bool:
    """``Is Rose …``, at the beginning of a sentence."""
    verb = reading.before("is", place.start)
    start = place.start - verb
    return bool(verb) and (reading.is_beginning(start) or bool(reading.before("asking", start)))


def _ends_ill(reading: Reading, place: Place) -> bool:
    if leads_to(reading, place.end, "acts", 4):
        return True
    return leads_to(reading, place.end, "sick", 4, "faint")


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


def _is_made_for(reading: Reading, place: Place, kind: str) -> str:
    """``Rezept für Wolf``: of a name that is a noun, where every noun has a capital."""
    length = reading.before("for", place.start)
    if kind != "thing" or not length:
        return ""
    return "about" if reading.before("owned", place.start - length) else ""


def _is_given(reading: Reading, place: Place) -> str:
    """``gave May the drops``: what is given is given to somebody."""
    token = reading.token(place.end)
    to = reading.before("gives", place.start) and token is not None
    return "about" if to and token is not None and token.is_word else ""

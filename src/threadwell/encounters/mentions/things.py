"""A name that is a word, or a place's name, as the subject of what is said of no person.

``Summer has her sneezing``, ``Victoria has measles cases``, ``art is sick lol``: words of illness
follow all of these, and nobody is ill by them who has the name.
"""

from __future__ import annotations

from threadwell.encounters.mentions.context import Reading
from threadwell.encounters.mentions.forms import Place
from threadwell.encounters.mentions.said import verb_of

#: How far what is said of a subject reaches, in words.
_REACH = 9
#: How far it is from *has her* to what she is made to do.
_NEAR = 3


def is_no_person(reading: Reading, place: Place) -> bool:
    """Whether what follows the name is said of a thing, a season, a virtue or a place."""
    after = reading.row(place)[1]
    if _has(reading, after, "events"):
        return True
    if reading.lexicon["city"] and place.name[0] in reading.lexicon["city"]:
        return bool(reading.before("travel", place.start)) or _has(reading, after, "regional")
    if not reading.name_class(place):
        return False
    return _causes(reading, after) or _is_slang(reading, place, after)


def is_phrase(reading: Reading, place: Place) -> bool:
    """``Hope all is well``: a wish; ``my angel has a fever``: whatever the child is called."""
    if place.owning and reading.at("plural", place.end):
        # "Robins are back"
        return True
    if place.name[0] in reading.lexicon["wishing"] and reading.at("wished", place.end):
        return True
    if place.name[0] not in reading.lexicon["dear"]:
        return False
    written = reading.is_capital(place) and not reading.is_first(place)
    if reading.before("child", place.start) and not reading.before("sized", place.start):
        return False
    start = reading.skip_back("sized", place.start, 2)
    owned = reading.before("mine", start)
    # "die kleine Maus"
    owned = owned or (start < place.start and reading.before("article", start))
    return bool(owned) and (reading.lexicon.nouns or not written)


def _has(reading: Reading, at: int, section: str) -> bool:
    """``has measles cases``: such a word in the same clause, after a verb."""
    for _ in range(_REACH):
        if reading.is_mark(at):
            return False
        if reading.at(section, at):
            return True
        at += 1
    return False


def _causes(reading: Reading, at: int) -> bool:
    """``makes her cough``, ``scratched him``, ``le da fiebre``: somebody else has it."""
    if reading.at("causes", at) or _does_to(reading, at):
        return True
    length = reading.at("causesing", at)
    if not length:
        return False
    for here in range(at + length, at + length + _NEAR):
        if reading.is_mark(here):
            return False
        if reading.word(here).endswith("ing") and len(reading.word(here)) > len("thing"):
            return True
    return False


def _does_to(reading: Reading, at: int) -> bool:
    """``scratched her on the arm``, and not ``scratched her arm``."""
    does = reading.at("does", at)
    if not does:
        return False
    # "burned her" may be a phrase that somebody's foot follows.
    whom = reading.at("whom", at + does) or reading.before("whom", at + does)
    after = at + does + reading.at("whom", at + does)
    ends = reading.is_mark(after) or any(
        reading.at(section, after) for section in ("at", "and", "when", "preposition", "often")
    )
    return bool(whom) and ends


def _is_slang(reading: Reading, place: Place, at: int) -> bool:
    """``art is sick lol``: it is good, and nobody is ill; in small letters of any thing."""
    at, verb = verb_of(reading, at)
    if reading.name_class(place) not in ("thing", "time") or not verb or reading.at("have", at):
        return False
    at += verb
    at = reading.skip("soft", at, 2)
    length = reading.at("slang", at)
    if not length:
        return False
    small = not reading.is_capital(place) and not reading.at("since", at + length)
    return small or any(reading.at("laughs", at + length + ahead) for ahead in range(2))

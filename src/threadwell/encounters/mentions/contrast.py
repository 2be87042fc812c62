"""What one of a family is said not to be beside another: ``Leo's not sick, Mia is``.

A family's messages tell its children apart: who is ill by who is not, who has it now by who had it
before, who has it by who gave it. Only the one who is meant counts.
"""

from __future__ import annotations

from threadwell.encounters.mentions.context import Reading
from threadwell.encounters.mentions.doubts import COMPARED, DENIED, SOMEBODY_ELSE, WORD
from threadwell.encounters.mentions.forms import Place
from threadwell.encounters.mentions.said import leads_to, verb_of

#: How far before a name ``same`` may stand: ``the same bad cough Leo had``.
_NEAR = 4


def contrast(reading: Reading, place: Place) -> str:
    """Why a name is that of whoever is not meant, ``""`` if nothing tells so."""
    if reading.before("caughtfrom", place.start):
        # "she has it from Leo"
        return COMPARED
    several = len(reading.places) > 1
    if reading.is_mark(reading.after(place)):
        return DENIED if several and _another_is(reading, place) else ""
    if _is_not(reading, place):
        if _is_well_before(reading, place):
            return ""
        if reading.name_class(place) and (
            not reading.is_capital(place) or reading.is_first(place) or reading.lexicon.nouns
        ):
            # "Hope not!": hardly somebody of that name.
            return WORD
        return DENIED
    if several and _another_is(reading, place):
        return DENIED
    if (several and _had(reading, place)) or _was(reading, place) or _gave(reading, place):
        return COMPARED
    return SOMEBODY_ELSE if _harmed(reading, place) else ""


def is_well(reading: Reading, place: Place) -> bool:
    """``Leo is fine``, ``Leo and Mia are better``, ``Leo ok,``."""
    end = reading.row(place)[1]
    for at in {end, place.end}:
        verb, length = verb_of(reading, at)
        if length and leads_to(reading, verb + length, "well", 3):
            return True
    length = reading.at("well", end)
    # "Leo's well": what looks like a possessive.
    after = reading.at("well", reading.after(place)) if reading.word(place.end) == "'" else 0
    ends = (end + length, reading.after(place) + after)
    return any(
        found and (reading.is_mark(at) or reading.at("rather", at) or reading.at("and", at))
        for found, at in zip((length, after), ends, strict=True)
    )


def is_chosen(reading: Reading, place: Place) -> bool:
    """``only Mia``, ``Mia is the one who``."""
    return bool(reading.before("only", place.start) or reading.at("chosen", place.end))


def _is_not(reading: Reading, place: Place) -> bool:
    """``Mia has a cough, Leo not``, ``Leo no, but Mia``."""
    after = reading.after(place)
    length = reading.at("nope", after)
    after += length
    return bool(length) and (
        reading.is_mark(after) or bool(reading.at("rather", after) or reading.at("and", after))
    )


def _is_well_before(reading: Reading, place: Place) -> bool:
    """``Mia is fine but Leo is not``: he is the one who is ill."""
    return any(reading.at("well", at) for at in range(place.start))


def _another_is(reading: Reading, place: Place) -> bool:
    """``Leo isn't sick, Mia is``: of the first one, who is denied what is said of the second."""
    at = reading.places.index(place)
    if at + 1 >= len(reading.places):
        return False
    other = reading.places[at + 1]
    yes = reading.at("yes", reading.after(other))
    if other.patient == place.patient or not yes:
        return False
    if not reading.is_mark(reading.after(other) + yes):
        return False
    return any(reading.at("no", here) for here in range(place.end, other.start))


def _had(reading: Reading, place: Place) -> bool:
    """``Leo had it, now Mia has``: who had it before."""
    if not reading.at("hadit", place.end):
        return False
    later = (one for one in reading.places if one.start > place.end)
    return any(one.patient != place.patient and _is_now(reading, one) for one in later)


def _is_now(reading: Reading, place: Place) -> bool:
    if reading.before("nowit", reading.skip_back("link", place.start, 2)):
        return True
    return bool(reading.before("nowit", place.start))


def _was(reading: Reading, place: Place) -> bool:
    """``it was Leo last week``, ``the same cough Leo had``."""
    after = reading.after(place)
    if reading.before("was", place.start) and (
        reading.at("past", after) or reading.at("earlier", after)
    ):
        return True
    if not reading.at("have", after):
        return False
    for at in range(place.start - 1, max(-1, place.start - 1 - _NEAR), -1):
        if reading.is_mark(at):
            return False
        if reading.word(at) in reading.lexicon["same"]:
            return True
    return False


def _gave(reading: Reading, place: Place) -> bool:
    """``Leo gave it to her``, ``Leo gave Mia his cold``."""
    after = reading.after(place)
    if reading.at("infects", after):
        return True
    gives = reading.at("gives", after)
    verb = gives or reading.at("is", after)
    other = next((one for one in reading.places if one.start == after + verb), None)
    if not verb or other is None:
        return False
    if reading.at("infecting", other.end):
        # "Leo got Mia sick", "Leo hat Mia angesteckt"
        return True
    if not gives:
        return False
    whose = other.end + (reading.at("whose", other.end) or reading.at("article", other.end))
    return whose > other.end and leads_to(reading, whose, "sick", 1)


def _harmed(reading: Reading, place: Place) -> bool:
    """``Leo pushed her``, and not ``Leo hit her head``."""
    after = reading.after(place)
    length = reading.at("harms", after)
    whom = reading.at("whom", after + length) if length else 0
    after += length
    if length and any(one.start == after for one in reading.places):
        return True
    after += whom
    return bool(whom) and (
        reading.is_mark(after) or any(reading.at(one, after) for one in ("and", "when", "at"))
    )

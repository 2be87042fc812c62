"""Whether a name is that of whoever reads: ``Hi May``, ``Rosa, could you …``."""

from __future__ import annotations

from threadwell.encounters.mentions.context import Reading
from threadwell.encounters.mentions.forms import Place
from threadwell.encounters.mentions.said import says_of_a_person, verb_of

#: The doubt about the name of whoever reads.
CALLED = "called"


def called(reading: Reading, place: Place) -> str:
    """``Hi May``, ``thank you, Rose``, ``Rosa, could you …``: who reads, not who is ill."""
    if _is_greeted(reading, place):
        return CALLED
    start, end = reading.row(place)
    before, after = reading.word(start - 1), reading.word(end)
    if before in (",", ";") and (reading.is_end(end) or after in (",", "!", "?")):
        if reading.before("child", start - 1) or reading.before("about", start - 1):
            return ""
        if reading.is_end(end) or not _goes_on_about(reading, end):
            return CALLED
    if not reading.is_beginning(start) or reading.is_end(end):
        return ""
    if after in (",", "!", "?", ":"):
        # "Mia, not Leo" says whom it is about.
        other = end + 1 + reading.at("no", end + 1)
        if other > end + 1 and other in reading.named:
            return ""
        return "" if _goes_on_about(reading, end) else CALLED
    # "Leo can you …" calls Leo, and "Leo can eat" does not.
    calls = reading.at("call", end)
    asked = calls and (reading.name_class(place) or calls > reading.at("is", end))
    return CALLED if asked else ""


def is_which(reading: Reading, at: int) -> bool:
    """``the older one``: which of the children is meant."""
    article = reading.at("article", at)
    which = reading.at("which", at + article) if article else 0
    return bool(which) and reading.is_mark(at + article + which)


def _is_greeted(reading: Reading, place: Place) -> bool:
    start = first = reading.row(place)[0]
    for _ in range(3):
        if step := reading.before("title", start):
            start -= step
        elif reading.word(start - 1) in (",", "'") and start > 1:
            start -= 1
        else:
            break
    if unit := reading.before("years", start):
        before = reading.token(start - unit - 1)
        if before is not None and before.is_number:
            # "6yo Mia", and not "Yo Mia".
            return False
    for section in ("hello", "thanks", "bye"):
        if reading.before(section, start):
            # "Hi Rosa, Leo has an ear infection": only the first one is greeted.
            verb = place.start > first and verb_of(reading, place.end)[1]
            return not verb and not says_of_a_person(reading, place.end)
    return False


def _goes_on_about(reading: Reading, at: int) -> bool:
    """Whether what follows a comma says something of the one named before it."""
    at += 1
    token = reading.token(at)
    if token is not None and token.is_number:
        return True
    who = reading.at("mine", at)
    if who and (reading.at("child", at + who) or reading.at("child", at + who + 1)):
        return True
    if is_which(reading, at):
        return True
    if reading.at("you", at):
        return False
    return bool(
        reading.at("fresh", at)
        or reading.at("third", at)
        or reading.at("age", at)
        or reading.at("sick", at)
    )

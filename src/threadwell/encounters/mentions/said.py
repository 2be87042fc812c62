"""What is said of whomever a name names: whether only a person can be meant, and one who is ill."""

from __future__ import annotations

from threadwell.encounters.mentions.context import Reading

#: The age up to which ``Joy is 4`` is an age, and no number of something else.
_OLDEST_CHILD = 18
#: Temperatures of somebody who is ill, in degrees of Celsius and of Fahrenheit.
_FEVER = frozenset((37, 38, 39, 40, 41, *range(99, 107)))


def says_of_a_person(reading: Reading, at: int) -> bool:
    """Whether words follow that are said of somebody who is ill: ``has a fever``."""
    at, verb = verb_of(reading, at)
    return bool(verb) and leads_to(reading, at + verb, "sick", 5)


def shows_a_person(
    reading: Reading, at: int, *, helping: bool = False, owned: str = "owned"
) -> bool:
    """Whether what follows shows that an ordinary word before it is somebody's name.

    ``has a cold``, ``needs her inhaler``, ``won't eat``; neither ``is cold``, as the winter is,
    nor, after a ``helping`` verb, ``have a fever``. ``owned`` is the section of what a person may
    need.
    """
    at, verb = verb_of(reading, at)
    if not verb or (helping and reading.at("bare", at)):
        return False
    after = at + verb
    things = "" if reading.at("have", at) else "faint"
    return (
        leads_to(reading, after, "sick", 5, things)
        or leads_to(reading, after, "acting", 2, "faint")
        or (bool(reading.at("wants", at)) and leads_to(reading, after, "acts", 3))
        or (bool(reading.at("needs", at)) and leads_to(reading, after, owned, 3, "faint"))
        or _is_measured(reading, at, after)
    )


def _is_measured(reading: Reading, verb: int, at: int) -> bool:
    """``is 4 and still …``, ``is 14 kg``, ``has 39.5``."""
    token = reading.token(at)
    if token is None or not token.is_number or len(token.word) > 3:
        return False
    if reading.at("have", verb):
        return is_fever(reading, at)
    if reading.at("weight", at + 1):
        return True
    joint = reading.at("and", at + 1)
    after = at + 1 + joint
    goes_on = any(reading.at(one, after) for one in ("is", "does", "often", "no", "acting"))
    return bool(joint) and goes_on and int(token.word) <= _OLDEST_CHILD


def is_fever(reading: Reading, at: int) -> bool:
    """Whether a temperature stands there, and nothing that it would be the number of."""
    token = reading.token(at)
    if token is None or not token.is_number or len(token.word) > 3:
        return False
    after = _number_end(reading, at)
    return int(token.word) in _FEVER and (reading.is_mark(after) or bool(reading.at("and", after)))


def _number_end(reading: Reading, at: int) -> int:
    """The index after ``39.5`` or ``39,5``."""
    fraction = at + 1 + (reading.word(at + 1) == ",")
    token = reading.token(fraction)
    return fraction + 1 if token is not None and token.is_number else at + 1


def leads_to(reading: Reading, at: int, section: str, most: int, but: str = "") -> bool:
    """Whether words of a section follow at ``at``, over at most ``most`` little words.

    Words of the section ``but`` count as little ones.
    """
    for _ in range(most + 1):
        found = reading.at(section, at)
        things = reading.at(but, at) if but and found else 0
        if found > things:
            return True
        step = max(things, reading.at("soft", at))
        token = reading.token(at)
        if token is not None and (token.is_number or (at and reading.tokens[at - 1].is_number)):
            step = max(step, 1)
        if not step:
            return False
        at += step
    return False


def verb_of(reading: Reading, at: int) -> tuple[int, int]:
    """Where the verb after a name stands, over an adverb or two, and its length."""
    for _ in range(4):
        if length := reading.at("is", at):
            return at, length
        if reading.at("does", at):
            break
        # "no duerme", "ne mange pas", "se siente": little words before the verb.
        at += reading.at("often", at) or reading.at("no", at) or reading.at("reflexive", at)
    return at, 0

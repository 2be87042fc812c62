"""Why a name that stands somewhere does not tell whom the message is about.

Each rule answers with its own name, or with nothing. ``DENIED`` counts against the patient in the
whole message; every other doubt only against that one place.
"""

from __future__ import annotations

from collections.abc import Callable

from threadwell.encounters.mentions.addressed import called
from threadwell.encounters.mentions.context import Reading
from threadwell.encounters.mentions.forms import Place
from threadwell.encounters.mentions.language import languages, lexicon
from threadwell.encounters.mentions.said import shows_a_person, verb_of
from threadwell.encounters.mentions.things import is_no_person, is_phrase

DENIED = "denied"
COMPARED = "compared"
SOMEBODY_ELSE = "somebody else"
WRITER = "writer"
PLACE = "place"
TIME = "time"
THING = "thing"
WORD = "word"

#: How far a denial or a comparison reaches over little words.
_REACH = 6


def doubt(reading: Reading, place: Place) -> str:
    """The first doubt about a place, ``""`` if there is none."""
    for rule in _RULES:
        if found := rule(reading, place):
            return found
    return ""


def _denied(reading: Reading, place: Place) -> str:
    """``not Leo``, ``it isn't about my son Leo``, ``Leo is not the one``."""
    if reading.at("noafter", reading.after(place)):
        return DENIED
    end = place.start
    if is_instead(reading, place):
        return ""
    for _ in range(_REACH):
        if reading.before("only", end):
            return ""
        if length := reading.before("no", end):
            # "no, it is Leo": a denial reaches over no mark, and marks are words here.
            return "" if reading.word(end - length) == "," else DENIED
        link = reading.before("link", end)
        if not link:
            break
        end -= link
    return ""


def is_instead(reading: Reading, place: Place) -> bool:
    """``not Leo but Mia``: right after what was denied comes what is meant."""
    end = place.start
    for _ in range(3):
        if length := reading.before("rather", end):
            denials = ((at, reading.at("no", at)) for at in range(end - length))
            return any(denial and at + denial <= end - length for at, denial in denials)
        link = reading.before("link", end)
        if not link:
            break
        end -= link
    return False


def _compared(reading: Reading, place: Place) -> str:
    """``like Leo last year``, ``the same rash as Leo``, ``Leo had it last winter``."""
    after = reading.after(place)
    if reading.at("likeafter", after):
        return COMPARED
    end = place.start
    for _ in range(3):
        if reading.before("wish", end):
            return ""
        if reading.before("like", end):
            return COMPARED
        if reading.before("as", end) and any(
            word in reading.lexicon["same"] for word in reading.words[max(0, end - 7) : end]
        ):
            return COMPARED
        # "as last time with Leo": the time and little words stand between.
        between = ("mine", "article", "child", "past", "about")
        steps = (reading.before(section, end) for section in between)
        step = next(filter(None, steps), 0)
        if not step:
            break
        end -= step
    after = reading.row(place)[1]
    if verb_of(reading, after)[1]:
        for at in range(after, min(after + 14, len(reading.words))):
            # "Leo has what Mia had last year": the past is that of whoever is named last.
            if at in reading.named or (reading.is_mark(at) and reading.word(at) != "'"):
                break
            if reading.at("past", at):
                return COMPARED
    return ""


def _somebody_else(reading: Reading, place: Place) -> str:
    """``Leo's brother``, ``Dr. May``, ``aunt Rose``, ``a friend named Mia``, ``Will Smith``."""
    if is_whose(reading, place) or _is_titled(reading, place) or _is_other_name(reading, place):
        return SOMEBODY_ELSE
    if _works_there(reading, place) or _is_the(reading, place):
        return SOMEBODY_ELSE
    return ""


def is_whose(reading: Reading, place: Place) -> bool:
    """Whether somebody who belongs to the patient is meant."""
    if after := reading.possessive(place):
        for at in range(after, after + 4):
            where = reading.at("where", at)
            if where and reading.at("have", at + where):
                return True
            if reading.at("sized", at):
                # "Leo's little sister"
                continue
            if reading.at("sick", at) or reading.at("owned", at) or reading.at("is", at):
                break
            if reading.is_mark(at) or reading.at("and", at) or reading.at("link", at):
                break
            if reading.at("other", at) or reading.at("sibling", at):
                return True
    end = place.start
    end -= reading.before("article", end)
    if of := reading.before("of", end):
        end -= of
        return any(
            reading.before(section, one)
            for section in ("other", "sibling")
            for one in (end, end - 1)
        ) or bool(reading.before("child", end) and not reading.before("mine", end - 1))
    return False


def _is_titled(reading: Reading, place: Place) -> bool:
    end = place.start
    if (length := reading.before("sibling", end)) and end - length - 1 in reading.named:
        return False
    after = reading.after(place)
    while reading.word(after) in reading.family_of(place.patient):
        after += 1
    if reading.before("title", end) or reading.at("titleafter", after):
        return True
    named = reading.before("named", end)
    end -= named
    if reading.word(end - 1) in (",", "(", ":") and not named:
        end -= 1
    if length := reading.before("other", end):
        return named > 0 or not _is_sender(reading, end - length)
    if length := reading.before("sibling", end):
        whose = end - length
        return bool(reading.before("mine", whose)) or not reading.lexicon["of"]
    if named:
        length = reading.before("child", end)
        return not length or bool(reading.before("another", end - length))
    if not (length := reading.before("child", end)):
        return False
    # "the neighbor kid Leo", "she named her baby Leo", "another boy Leo".
    whose = end - length
    named = reading.before("named", reading.skip_back("article", whose, 1))
    # "my friend's daughter Leo"
    owner = (
        whose - 2 if reading.word(whose - 1) == "s" and reading.word(whose - 2) == "'" else whose
    )
    return bool(reading.before("another", whose) or reading.before("other", owner) or named)


def _is_sender(reading: Reading, at: int) -> bool:
    """``this is Mia's mom, Leo has …``: whoever belongs to Mia is the one who writes."""
    return any(
        reading.possessive(one) == at and reading.before("iam", one.start) for one in reading.places
    )


def _is_other_name(reading: Reading, place: Place) -> bool:
    """Whether a name stands beside it that is not the patient's."""
    mixed, german = reading.sentence.mixed, reading.lexicon.nouns
    own = reading.family_of(place.patient) | reading.given_of(place.patient)
    common = not reading.name_class(place)
    before, after = reading.token(place.start - 1), reading.token(place.end)
    if reading.tokens[place.start].joined or (after is not None and after.joined):
        return True
    if not mixed:
        return False
    if _may_be_name(reading, place.end, own):
        word = reading.words[place.end]
        known = reading.lexicon.is_word(word) or bool(reading.at("weekday", place.end))
        known = known or (german and _is_german_noun(word))
        if not (known and (common or german)) and not reading.tokens[place.end].first:
            return True
    if not german and before is not None and _may_be_name(reading, place.start - 1, own):
        return not reading.lexicon.is_word(before.word) and not (before.first and common)
    return False


def _may_be_name(reading: Reading, at: int, own: frozenset[str]) -> bool:
    """Whether a word with a capital stands there that is no name of the patient or the family."""
    token = reading.token(at)
    return (
        token is not None and token.is_capital and token.word not in own and at not in reading.named
    )


def _is_german_noun(word: str) -> bool:
    endings = ("ung", "heit", "keit", "schmerzen", "weh", "fieber", "husten", "tion", "entzundung")
    return word.endswith((*endings, "chen", "termin", "rezept", "tabletten", "tropfen", "impfung"))


def _works_there(reading: Reading, place: Place) -> bool:
    """``I spoke with Rosa``, ``Rosa from billing``, ``Rosa, the nurse``."""
    end = place.start - (1 if reading.word(place.start - 1) == ":" else 0)
    if reading.before("contact", end):
        return True
    after = place.end
    if reading.before("tells", end) and any(
        reading.at(one, after) for one in ("thanks", "hello", "iwe")
    ):
        # "tell Rosa thanks", "tell Rosa we said hi"
        return True
    if length := reading.at("whence", after):
        at = after + length
        at += reading.at("article", at)
        fetched = any(word in reading.lexicon["fetch"] for word in reading.words[: place.start])
        if (reading.at("desk", at) or reading.at("desk", after + length)) and not fetched:
            return True
    if reading.before("is", place.start) and (length := reading.at("atwork", place.end)):
        # "is Grace in today?"
        return reading.is_mark(place.end + length)
    said = reading.row(place)[1]
    if reading.at("works", said + verb_of(reading, said)[1]) or reading.at("works", said):
        return True
    if reading.word(after) in (",", "("):
        after += 1
        if (mine := reading.at("mine", after)) and reading.at("sibling", after + mine):
            return True
    if length := reading.at("article", after) or reading.at("mine", after):
        return bool(reading.at("other", after + length))
    return False


def _is_the(reading: Reading, place: Place) -> bool:
    """``the other Leo``, ``a Leo``; of a name that is a word, ``the May`` too."""
    section = "article" if reading.name_class(place) else "another"
    return bool(reading.before(section, place.start))


def _writer(reading: Reading, place: Place) -> str:
    """``this is Rosa``, ``Rosa here``, a name below the letter; ``Rosa?``, of whoever reads."""
    after = place.end
    for family in range(2):
        token = reading.token(after + family)
        if token is None or not token.is_capital:
            break
        after += 1
    if (
        reading.tokens[-1].word == "?"
        and reading.is_beginning(place.start)
        and reading.is_end(reading.after(place))
    ):
        return WRITER
    if reading.before("iam", place.start) and not reading.possessive(place):
        return WRITER
    if (here := reading.at("here", after)) and reading.is_mark(after + here):
        return WRITER
    words = [token for token in reading.tokens if token.is_word or token.is_number]
    short = len(words) <= 4 and all(token.is_capital for token in words)
    alone = short and reading.is_end(after)
    told = reading.before("fresh", place.start)
    if (
        reading.last
        and not reading.first
        and alone
        and not told
        and reading.is_beginning(place.start - 1)
    ):
        return WRITER
    if reading.word(place.start - 1) in ("–", "-", "~") and reading.is_end(after) and short:
        return WRITER
    return ""


def _place(reading: Reading, place: Place) -> str:
    """``12 Rose Street``, ``Hope Hospital``, ``calle Rosa``; and brands.

    Brands have their names in every language, and stand in messages too short to tell one.
    """
    brands = lexicon(languages())["brand"]
    for at in range(max(0, place.start - 4), place.end):
        if (length := brands.at(reading.words, at)) and at + length > place.start:
            return PLACE
    if reading.before("placebefore", place.start):
        return PLACE
    # "Mark's Hospital" for a name that is a word; "Leo's school" is the school that he goes to.
    end = reading.after(place) if reading.name_class(place) else place.end
    after = reading.token(end)
    length = reading.at("placeafter", end)
    if after is None or not length:
        return ""
    plain = length > 1 or (bool(reading.name_class(place)) and not reading.possessive(place))
    return PLACE if after.is_capital or plain else ""


def _thing(reading: Reading, place: Place) -> str:
    """``Summer has her sneezing``, ``Victoria has measles cases``."""
    return THING if is_no_person(reading, place) else ""


def _time(reading: Reading, place: Place) -> str:
    """``in May``, ``May 5``, ``early June``: of names that are times as well."""
    if reading.name_class(place) != "time":
        return ""
    months = reading.lexicon["time"]
    if reading.before("timebefore", place.start) or reading.at("timeafter", place.end):
        return TIME
    month = place.start - reading.before("and", place.start) - 1
    if month not in (*reading.named, place.start - 1) and reading.word(month) in months:
        return TIME
    before, after = reading.token(place.start - 1), reading.token(place.end)
    if before is not None and before.is_number:
        return TIME
    return TIME if after is not None and after.is_number else ""


def _word(reading: Reading, place: Place) -> str:
    """The name as the word that it is: ``I Will come``, ``Mark her down``, ``ANA positive``."""
    kind = reading.name_class(place)
    if kind and is_phrase(reading, place):
        return WORD
    token = reading.tokens[place.start]
    if token.is_upper and reading.sentence.mixed and token.word in reading.lexicon["initials"]:
        return WORD
    if kind in ("modal", "verb") or place.name[0] in reading.lexicon["modal"]:
        if reading.before("pronoun", place.start):
            return WORD
        # "for chase", "give chase the drops": no verb stands there.
        noun = any(reading.before(one, place.start) for one in ("preposition", "gives"))
        object_ = reading.at("object", place.end) and not noun
        if kind == "verb" and object_:
            return WORD
    if is_helping(reading, place) and reading.before("pronoun", place.start):
        return "" if shows_a_person(reading, place.end, helping=True) else WORD
    if is_helping(reading, place) and not _is_asked_of(reading, place):
        after = reading.skip("often", place.end, 2)
        # "give Will the drops": somebody is given them.
        given = reading.before("about", place.start) and _is_little(reading, after)
        # "Leo and Will have a fever": a list of names.
        given = given or (reading.is_capital(place) and reading.row(place)[0] < place.start)
        if reading.at("bare", after) and not given and not reading.possessive(place):
            return WORD
    return ""


def is_helping(reading: Reading, place: Place) -> bool:
    """Whether the name is a helping verb in the language spoken: *will*, *may*, *can*."""
    first = place.name[0]
    return first in reading.lexicon["aux"] or first in reading.lexicon["modal"]


def _is_asked_of(reading: Reading, place: Place) -> bool:
    """``Can Will …``, ``When should May …``."""
    verb = place.start - reading.before("is", place.start)
    if verb == place.start:
        return False
    return reading.tokens[verb].first or bool(reading.before("asking", verb))


def _is_little(reading: Reading, at: int) -> bool:
    return any(reading.at(section, at) for section in ("article", "mine", "pronoun"))


_RULES: tuple[Callable[[Reading, Place], str], ...] = (
    _denied,
    _compared,
    _somebody_else,
    called,
    _writer,
    _place,
    _thing,
    _time,
    _word,
)

"""Messages that need no answer, and are none: programs have written them, or they only react. Pure.

A message of words is never one, however little it says: whether thanks need an answer is for people
to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from threadwell.channels.keywords import only_word, wish_of
from threadwell.channels.live import Wish
from threadwell.messages.automatic import NOTES

#: Words by which carriers let people ask for no messages. HELP and YES are for people to answer.
_CARRIERS = frozenset((Wish.STOP, Wish.START))
_MEDIA = frozenset(("", "SMSWRIT", "MMSWRIT"))
_NOT_FOR_CARRIERS = frozenset(("yes",))

#: What phones write where the other side's cannot show a reaction to a message.
_LEADS = (
    # English
    *("liked", "loved", "disliked", "laughed at", "emphasized", "emphasised", "questioned"),
    r"removed an? (?:like|heart|dislike|laugh|exclamation|question mark) from",
    *(r"reacted \S{1,12} to", r"removed \S{1,12} from", r"\W{1,12} to"),
    # German
    *("gefällt", "gefällt nicht", "mag", "liebt", "mag nicht", "lacht über", "betont"),
    "hinterfragt",
    r"hat mit \S{1,12} reagiert auf",
    # Spanish
    *("le gusta", "le gustó", "le encanta", "le encantó", "no le gusta", "no le gustó"),
    *("se rió de", "se ríe de", "enfatizó", "cuestionó", "le dio risa", "exclamó por"),
    *("dudó sobre", r"reaccionó con \S{1,12} a"),
    # French
    *("a aimé", "a adoré", "n['’]a pas aimé", "a ri à", "a ri de", "a souligné", "a questionné"),
    r"a réagi avec \S{1,12} à",
)
_QUOTED = r"[\"“„«‟].*[\"”“»]"
_THINGS = (
    *("image", "photo", "picture", "video", "movie", "audio message", "attachment"),
    *("sticker", "link"),
)
_COSAS = ("imagen", "foto", "vídeo", "video", "película", "mensaje de audio", "sticker")
_ENDS = (*_THINGS, *_COSAS)
#: As many characters as the longest of them has.
_END = max(map(len, _ENDS))
_THING = rf"(?:(?:an?|the) (?:{'|'.join(_THINGS)})|una? (?:{'|'.join(_COSAS)}))"
#: More characters than a phone quotes.
_LONGEST = 5000
_REACTION = re.compile(
    rf"\W{{0,4}}(?:{'|'.join(_LEADS)})\s+(?:{_QUOTED}|{_THING})\W{{0,4}}",
    re.IGNORECASE | re.DOTALL,
)
#: Signs that stand for *I have read it*, whatever the colour of the hand.
_SIGNS = re.compile("(?:[👍👌🙏👏✅❤♥💙💚💛🧡💜😊🙂🎉]|[\U0001f3fb-\U0001f3ff\ufe0f\u200d\\s])+")


def is_quiet(text: str, notes: Collection[str], medium: str, *, files: bool) -> bool:
    """Whether a message with that text and those notes neither needs an answer nor is one.

    ``medium`` is a code of ParticipationMode, ``""`` where nothing tells; ``files`` tells whether
    it has any.
    """
    if notes and not NOTES.isdisjoint(notes):
        return True
    if files:
        return False
    text = text.strip()
    if not text:
        return False
    if len(text) <= 12 and medium in _MEDIA:
        wish = wish_of(text)
        if wish in _CARRIERS and only_word(text) not in _NOT_FOR_CARRIERS:
            return True
    if len(text) > _LONGEST or (text[-1].isalnum() and not text[-_END:].lower().endswith(_ENDS)):
        return False
    if _REACTION.fullmatch(text) is not None:
        return True
    return not text.isascii() and _SIGNS.fullmatch(text) is not None

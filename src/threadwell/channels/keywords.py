"""STOP, START and HELP: what carriers have agreed that a text message of one word asks for.

Beside the words of the carriers of the United States are *opt out*, in two words, which the rules
of the FCC name (47 CFR 64.1200(a)(10)), and ARRET and AIDE of the carriers of Canada.
"""

from __future__ import annotations

import unicodedata

from threadwell.channels.live import Wish

#: A message that consists of one of these, as ``only_word`` has it.
_WISHES = {
    **dict.fromkeys(
        (
            *("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke"),
            *("optout", "opt out", "opt-out", "arret", "arrêt"),
        ),
        Wish.STOP,
    ),
    **dict.fromkeys(("start", "unstop", "yes"), Wish.START),
    **dict.fromkeys(("help", "info", "aide"), Wish.HELP),
}
#: What a provider tells where the keywords of an account are its own.
_TOLD = {"STOP": Wish.STOP, "START": Wish.START, "HELP": Wish.HELP}
#: No text of more characters is one word, with what stands around it.
_LONGEST = 32
#: Who asks "Cancel?" wishes for nothing yet.
_ASKS = frozenset("?¿")


def wish_of(text: str, told: str = "") -> Wish | None:
    """What a message asks for: as its provider has ``told``, else by its word.

    ``None`` for any other message.
    """
    return _TOLD.get(told.strip().upper()) or _WISHES.get(only_word(text))


def only_word(text: str) -> str:
    """What a short text says, in small letters, without the marks, quotes and spaces around it.

    Letters of another width are the same ones. ``""`` for a long text. A question mark stays.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return ""
    text = unicodedata.normalize("NFKC", text).casefold()
    first, last = 0, len(text)
    while first < last and _is_around(text[first]):
        first += 1
    while last > first and _is_around(text[last - 1]):
        last -= 1
    return " ".join(text[first:last].split())


def _is_around(char: str) -> bool:
    """Whether it is a space, a mark of punctuation, or one that nobody sees."""
    return char not in _ASKS and unicodedata.category(char)[0] in "PZC"

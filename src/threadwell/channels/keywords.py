"""STOP, START and HELP: what carriers have agreed that a text message of one word asks for."""

from __future__ import annotations

from threadwell.channels.live import Wish

#: A message that consists of one of these, whatever its case.
_WISHES = {
    **dict.fromkeys(
        ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"), Wish.STOP
    ),
    **dict.fromkeys(("start", "unstop", "yes"), Wish.START),
    **dict.fromkeys(("help", "info"), Wish.HELP),
}
#: What a provider tells where the keywords of an account are its own.
_TOLD = {"STOP": Wish.STOP, "START": Wish.START, "HELP": Wish.HELP}


def wish_of(text: str, told: str = "") -> Wish | None:
    """What a message asks for: as its provider has ``told``, else by its word.

    ``None`` for any other message.
    """
    return _TOLD.get(told.strip().upper()) or _WISHES.get(text.strip().strip(".!").lower())

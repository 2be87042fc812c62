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
#: ``OptOutType`` of an account whose keywords are its own.
_TOLD = {"STOP": Wish.STOP, "START": Wish.START, "HELP": Wish.HELP}


def wish_of(text: str, opt_out_type: str = "") -> Wish | None:
    """What a message asks for: as Twilio tells, else by its word; ``None`` for any other."""
    told = _TOLD.get(opt_out_type.strip().upper())
    return told or _WISHES.get(text.strip().strip(".!").lower())

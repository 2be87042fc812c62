"""Numbers as arguments of commands."""

from __future__ import annotations

from argparse import ArgumentTypeError

_DAY = 86_400


def positive(text: str) -> int:
    """A whole number from 1 on."""
    number = _whole(text)
    if number < 1:
        raise ArgumentTypeError("give a whole number from 1 on")
    return number


def seconds(text: str) -> float:
    """A number of seconds, up to a day."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= _DAY:
        raise ArgumentTypeError("give a number of seconds, up to 86400")
    return number


def port(text: str) -> int:
    """A TCP port, 0 for any that is free."""
    number = _whole(text)
    if not 0 <= number <= 65_535:
        raise ArgumentTypeError("give a port from 0 to 65535")
    return number


def _whole(text: str) -> int:
    # ``isdecimal`` knows the digits of other scripts, and ``int`` reads them.
    return int(text) if text.isdecimal() and len(text) < 19 else -1

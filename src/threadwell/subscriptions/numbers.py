"""Numbers of events: each is where the change stands among all changes of the project.

So they need no list that is kept, are the same for every Subscription, socket and hook, and lead
back to the change for as long as it is there. Between two of them was whatever was not told. How
much that is, is nobody's business who does not see everything: they are given other numbers, that
say nothing and have no order, and lead back all the same. How far it was looked has another one
each time that it is told: if it stayed the same, they would see when nothing is written.
"""

from __future__ import annotations

import hashlib
import secrets
from itertools import count

from threadwell.fhir.outcome import FhirError, invalid

#: Bits of each half of a number that says nothing, and how often they are mixed.
_HALF, _ROUNDS = 31, 6
_MASK = (1 << _HALF) - 1
#: Bits of such a number by which those of one position differ.
_SALT = 22
#: Longer than any number of ours.
_LONGEST = 19


class Numbers:
    """Those of a project, whose ``secret`` is known to its server alone."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._salts = count(secrets.randbits(_SALT))

    def of(self, position: int, *, whole: bool) -> str:
        """The number of a change, for a caller who sees the whole store or who does not."""
        return str(position if whole else self._mixed(position << _SALT))

    def reached(self, position: int, *, whole: bool) -> str:
        """The number by which somebody goes on from a position: no event has it but theirs who see
        everything.
        """
        if whole:
            return str(position)
        salt = 1 + next(self._salts) % ((1 << _SALT) - 1)
        return str(self._mixed(position << _SALT | salt))

    def position(self, text: str, last: int, *, whole: bool) -> int:
        """The change that has the number; ``last`` is the last one there is.

        Raises ``FhirError`` 400 for what no such caller was ever told.
        """
        if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
            raise invalid("An event number is a number that was told before")
        position = int(text) if whole else self._unmixed(int(text)) >> _SALT
        # Whoever goes on after the last one they were told asks for the one that is to come.
        if position > last + 1:
            raise unknown()
        return position

    def _mixed(self, position: int) -> int:
        left, right = position >> _HALF, position & _MASK
        for turn in range(_ROUNDS):
            left, right = right, left ^ self._scrambled(turn, right)
        return left << _HALF | right

    def _unmixed(self, number: int) -> int:
        left, right = number >> _HALF, number & _MASK
        for turn in reversed(range(_ROUNDS)):
            left, right = right ^ self._scrambled(turn, left), left
        return left << _HALF | right

    def _scrambled(self, turn: int, half: int) -> int:
        told = bytes((turn,)) + half.to_bytes(8)
        return (
            int.from_bytes(hashlib.blake2b(told, key=self._secret, digest_size=4).digest()) & _MASK
        )


def unknown() -> FhirError:
    """Nobody was told of an event by that number, or somebody else was."""
    return invalid("No event has this number: begin with one that this server has told you")

"""What a delivery does not say, and its provider does when it is asked. Pure.

A channel whose provider tells of a message, and not whom it is from or to, says which calls have to
be made before the delivery is read. What they have found is kept with the delivery, so that reading
it again, after a crash or a year, comes to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from threadwell.calls.call import Call, Called
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery

#: Under this name what was found goes with the headers of a delivery.
_FOUND = "threadwell-found"


@dataclass(frozen=True, slots=True)
class Sought:
    """In the place of what a delivery holds: it has to be looked up first."""


@dataclass(frozen=True, slots=True)
class Later:
    """It cannot be found out now, and may be later; ``reason`` is for a log."""

    reason: str


#: How often it is looked for in vain before that is the end of it.
MOST_TRIES = 7
#: The next step for a delivery, given the account, the answers to the calls before and how often it
#: was looked for in vain; after ``MOST_TRIES`` it says what it can. It ends with what was found, as
#: the channel writes it.
Seeking: TypeAlias = Callable[[Delivery, Account, Sequence[Called], int], Call | str | Later]


def with_found(delivery: Delivery, found: str) -> Delivery:
    """The delivery with what was found."""
    return replace(delivery, headers={**delivery.headers, _FOUND: found})


def found_with(delivery: Delivery) -> str | None:
    """What was found for a delivery; ``None`` where nobody has looked yet."""
    return delivery.headers.get(_FOUND)

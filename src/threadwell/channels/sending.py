"""What a channel needs to send: a message that was written here, and what came of it. Pure.

A channel says which call has to be made, and what its answer means; whoever sends makes the calls,
and keeps what came of them. A message is sent once: where nobody can tell whether a call has sent
it, that is said, and it is asked before anything else is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from threadwell.calls.call import Call, Called
from threadwell.channels.account import Account
from threadwell.messages import Address


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message that was written here, and is to be sent.

    ``external_id`` is the one that it has here. ``own`` is the practice's address from which it
    goes to ``recipients``, ``thread`` the channel's own thread. ``files`` are URLs under which the
    provider can fetch what is attached, for an hour at least. ``hook`` is where it tells what has
    become of the message, ``""`` where nothing is known of that. ``answers`` is the external id
    of the message that it answers. ``since`` is when it was tried first.
    """

    external_id: str
    own: Address
    recipients: tuple[Address, ...]
    thread: str
    text: str
    since: datetime
    files: tuple[str, ...] = ()
    hook: str = ""
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has it, and calls it ``external_id``."""

    external_id: str


@dataclass(frozen=True, slots=True)
class Later:
    """It was not sent, and may be later; ``seconds`` is what the provider asks to wait, if it does.

    ``doubtful`` says that nobody can tell whether it was sent. ``reason`` is a short sentence
    without any content, and ``code`` the provider's own.
    """

    reason: str
    code: str = ""
    seconds: float = 0.0
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not sent, and will not be, as things are; ``reason`` and ``code`` as in ``Later``."""

    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The ids, the oldest first, of messages of the provider's that say the same since then.

    It is one of these, if it was sent at all.
    """

    external_ids: tuple[str, ...]


#: The next step to send a message, given the account and the answer to the call before.
Sending: TypeAlias = Callable[[Outbound, Account, Called | None], Call | Sent | Later | Failed]
#: The next step to find out whether it was sent.
Asking: TypeAlias = Callable[[Outbound, Account, Called | None], Call | Found | Later]

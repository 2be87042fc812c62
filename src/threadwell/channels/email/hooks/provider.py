"""What each provider of mail webhooks has to say how it is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery, Refused
from threadwell.channels.email.state import Kept
from threadwell.channels.halves import without_halves
from threadwell.channels.live import Status
from threadwell.messages import Attachment

NO_MAIL = "it has neither a mail nor the header of one"
NOWHERE = Kept()
CUT_OFF = "it ends before its end"


@dataclass(frozen=True, slots=True)
class Mail:
    """The bytes of a mail.

    ``missing`` are files of it that did not come with them, ``kept`` where it lay.
    """

    raw: bytes
    missing: tuple[Attachment, ...] = ()
    kept: Kept = NOWHERE


@dataclass(frozen=True, slots=True)
class Unread:
    """A delivery that holds no mail; ``reason`` is plain words without any of it.

    ``set_aside`` says that it was read, and is nothing that anybody sent.
    """

    reason: str
    set_aside: bool = False


Found: TypeAlias = Mail | Status | Unread


@dataclass(frozen=True, slots=True)
class Provider:
    """``verify`` says why a delivery is not the provider's; ``read`` yields what it holds.

    ``needs`` are the fields that an account there has to have, ``|`` between two of which one does.
    """

    verify: Callable[[Delivery, Account], Refused | None]
    read: Callable[[Delivery], Iterable[Found]]
    needs: tuple[str, ...]


def read_json(content: bytes) -> Any:
    """What is written there, ``None`` if that is no JSON. No text in it has half a character."""
    try:
        return json.loads(without_halves(content))
    except (ValueError, RecursionError):
        return None

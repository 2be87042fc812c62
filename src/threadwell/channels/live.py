"""What a channel needs to hear: to verify what a provider delivers, and to read it. Pure.

Files that a message only names are fetched later, by whoever takes the delivery in; the channel
says what has to be asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from threadwell.calls.call import Call, Called
from threadwell.channels.account import Account, Field
from threadwell.channels.delivery import Delivery, Refused, Reply
from threadwell.channels.seeking import Seeking, Sought
from threadwell.channels.sending import Asking, Limiting, Limits, Sending
from threadwell.channels.templates import Template
from threadwell.messages import Address, Broken, Message


@dataclass(frozen=True, slots=True)
class Remote:
    """A file that the provider keeps: ``place`` is its URL or id, as the channel understands it.

    It is the content of the message's attachment number ``attachment``, counted from 0.
    """

    place: str
    attachment: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message of which files have to be fetched; in it they have no content yet."""

    message: Message
    files: tuple[Remote, ...]


class State(StrEnum):
    """What became of a message that was sent, in the order in which it happens."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Status:
    """What a provider tells of a message that was sent, known to it as ``external_id``.

    ``at`` is when that was so, as far as it says, else when it was told. ``code`` is the provider's
    own for what failed, ``recipient`` to whom, where it names one of several.
    """

    channel: str
    external_id: str
    state: State
    at: datetime
    code: str = ""
    recipient: Address | None = None


class Wish(StrEnum):
    """What somebody has asked for with a keyword that carriers have agreed upon."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Wished:
    """``who`` does not want messages from ``own`` any more, or does again, or has asked for help.

    ``external_id`` is that of the message in which it was said.
    """

    channel: str
    external_id: str
    who: Address
    own: Address
    wish: Wish
    at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """``who`` has taken back the message that the provider knows by that id.

    Only its sender can: where the message is somebody else's, nothing comes of it.
    """

    channel: str
    external_id: str
    who: Address


#: What a delivery holds.
Heard: TypeAlias = Message | Arrived | Broken | Status | Wished | Withdrawn | Sought


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was fetched; ``content_type`` is ``""`` where its server does not say."""

    content: bytes
    content_type: str = ""
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """A file that cannot be fetched; ``reason`` ends the sentence *a file of it …*.

    ``again`` says that it may be there later.
    """

    reason: str
    again: bool = False


#: What to do next for a file: make a call, or be done with it.
Step: TypeAlias = Call | File | Lost


def as_file(_remote: Remote, _account: Account, answer: Called | None) -> Step:
    """The step of a channel of which no file has to be fetched."""
    return Lost("cannot be fetched") if answer is None else file_of(answer)


def file_of(answer: Called) -> File | Lost:
    """The file that is the body of an answer."""
    if 200 <= answer.status < 300:
        return File(answer.body, answer.headers.get("content-type", ""))
    if answer.status in (401, 403):
        return Lost("was not given to this account by the provider", again=True)
    if answer.status in (404, 410):
        # A file may be there a little later than the message that names it.
        return Lost("is not at the provider", again=True)
    return Lost("could not be fetched from the provider", again=True)


def _is_called(_account: Account) -> bool:
    return True


def _lacks_nothing(_account: Account) -> str:
    return ""


def _no_limits(_thread: str) -> Limits:
    return Limits()


def _as_given(account: Account) -> Account:
    return account


def _any_time(_thread: str) -> None:
    return None


def _no_templates(_account: Account) -> tuple[Template, ...]:
    return ()


def _by_name(account: Account) -> str:
    return account.name


def _no_words(_code: str) -> str:
    return ""


def _the_same(subject: str) -> str:
    return subject


def _nothing_to_read(_delivery: Delivery) -> Reply:
    return Reply()


@dataclass(frozen=True, slots=True)
class Live:
    """The part of a channel that hears.

    ``fields`` are what an account of it has. ``verify`` says why a delivery is not the provider's,
    ``None`` where it is. ``parse(delivery, account, country)`` yields what a verified one holds,
    and raises nothing: what cannot be read is a ``Broken`` with its bytes. Taking the same
    delivery twice, or its retry, yields messages of the same ids. ``answer(delivery)`` is what the
    provider reads once it is kept. ``greet`` answers the request by which some providers try a URL
    first (``GET``). ``fetch(remote, account, answer)`` is the next step for a file, given the
    answer to the call before. ``headers`` are those that ``parse`` goes by: they are kept with the
    body. ``send`` sends what was written here, and ``ask`` finds out whether that has been sent;
    without ``send`` nobody can reply in its threads (see ``sending.py``). ``limits(thread)`` is
    what one message may have there. ``lacks(account)`` says what is missing in it beyond the
    fields that each account needs, and ``mute(account)`` why nothing can be sent by it, ``""``
    where something can. ``complete(account)`` adds what follows of itself from what was
    given: an app's own address. ``place`` is below which path of the server it is heard, and
    ``called(account)`` whether anybody delivers there. It
    ``attaches`` files itself, where others give URLs of them. ``known_as(external_id, own)`` is the
    id that a message which was written here will have out there, where that is known before it is
    sent: then it may be sent again where nobody knows whether it was, as those who get it twice can
    tell. ``answering`` is the subject of what answers a message, given that one's. Where
    ``parse`` yields ``Sought``, ``seek`` tells what has to be asked for first (``seeking.py``).
    ``window(thread)`` is how long after somebody has written there they can be sent whatever is
    written, ``None`` for ever; what says what one of ``templates(account)`` says can be sent at any
    time. ``source(account)`` is what tells its messages from those of another account, which may
    have the same ones under other ids; ``""`` where a message has one id everywhere.
    ``meaning(code)`` says in plain words what a code of the provider's means by which it failed to
    deliver, ``""`` for one that is not known.
    """

    fields: tuple[Field, ...]
    verify: Callable[[Delivery, Account], Refused | None]
    parse: Callable[[Delivery, Account, str], Iterable[Heard]]
    answer: Callable[[Delivery], Reply] = _nothing_to_read
    greet: Callable[[Delivery, Account], Reply | Refused] | None = None
    fetch: Callable[[Remote, Account, Called | None], Step] = as_file
    headers: frozenset[str] = frozenset({"content-type"})
    send: Sending | None = None
    ask: Asking | None = None
    limits: Limiting = _no_limits
    lacks: Callable[[Account], str] = _lacks_nothing
    complete: Callable[[Account], Account] = _as_given
    place: str = "hooks"
    called: Callable[[Account], bool] = _is_called
    mute: Callable[[Account], str] = _lacks_nothing
    attaches: bool = False
    known_as: Callable[[str, Address], str] | None = None
    answering: Callable[[str], str] = _the_same
    seek: Seeking | None = None
    window: Callable[[str], timedelta | None] = _any_time
    templates: Callable[[Account], tuple[Template, ...]] = _no_templates
    source: Callable[[Account], str] = _by_name
    meaning: Callable[[str], str] = _no_words

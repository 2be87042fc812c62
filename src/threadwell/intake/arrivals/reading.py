"""Entries of the journal become what they hold: each is parsed by its channel. Pure."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from threadwell.channels.account import Account
from threadwell.channels.channel import Channel
from threadwell.channels.live import Arrived, Heard, Remote, Status, Wished, Withdrawn
from threadwell.channels.long_text import with_bounded_text
from threadwell.channels.seeking import Sought
from threadwell.intake.arrivals.journal import Entry
from threadwell.messages import Broken, Message

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Read:
    """What a delivery holds. ``files`` are to be fetched for the message before.

    ``failed`` says why it cannot be read at all, ``""`` where it can be. Something is ``sought``
    where its provider has to be asked before.
    """

    items: list[Message | Broken] = field(default_factory=list)
    files: list[tuple[Message, tuple[Remote, ...]]] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    wishes: list[Wished] = field(default_factory=list)
    withdrawn: list[Withdrawn] = field(default_factory=list)
    failed: str = ""
    sought: bool = False


def read_entry(
    entry: Entry, channels: Mapping[str, Channel], account: Account, country: str
) -> Read:
    """What the entry holds. What its channel can say cannot be read is in it as a ``Broken``."""
    if not entry.channel:
        return Read(failed="it is damaged, or of a newer build")
    channel = channels.get(entry.channel)
    out = Read()
    if channel is None or channel.live is None:
        return Read(failed="no channel here reads it")
    try:
        for heard in channel.live.parse(entry.delivery, account, country):
            _add(out, heard, channel.medium, channel.live.source(account))
    except Exception as error:  # noqa: BLE001 - an entry that stops a channel must not stop others
        # Its words may quote a patient.
        kind = type(error).__name__
        _log.error("a delivery to %s could not be read: %s", entry.account, kind)
        return Read(failed=f"its channel failed to read it ({kind})")
    return out


def _add(out: Read, heard: Heard, medium: str, source: str) -> None:
    match heard:
        case Arrived(message, files):
            message = _finished(message, medium, source)
            out.items.append(message)
            out.files.append((message, files))
        case Message():
            out.items.append(_finished(heard, medium, source))
        case Broken():
            out.items.append(heard)
        case Status():
            out.statuses.append(heard)
        case Wished():
            out.wishes.append(heard)
        case Withdrawn():
            out.withdrawn.append(heard)
        case Sought():
            out.sought = True


def _finished(message: Message, medium: str, source: str) -> Message:
    message = replace(message, medium=message.medium or medium, source=message.source or source)
    bounded = with_bounded_text(message)
    return bounded if isinstance(bounded, Message) else message

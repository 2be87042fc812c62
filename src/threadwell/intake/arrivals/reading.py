"""Entries of the journal become what they hold: each is parsed by its channel. Pure."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from threadwell.channels.account import Account
from threadwell.channels.channel import Channel
from threadwell.channels.live import Arrived, Heard, Remote, Status, Wished
from threadwell.channels.long_text import with_bounded_text
from threadwell.intake.arrivals.journal import Entry
from threadwell.messages import Broken, Message

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Read:
    """What a delivery, or several, hold. ``files`` are to be fetched for the message before."""

    items: list[Message | Broken] = field(default_factory=list)
    files: list[tuple[Message, tuple[Remote, ...]]] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    wishes: list[Wished] = field(default_factory=list)


def read_entry(
    entry: Entry, channels: Mapping[str, Channel], account: Account, country: str
) -> Read:
    """What the entry holds. Whatever its channel cannot read is in it as a ``Broken``."""
    channel = channels.get(entry.channel)
    out = Read()
    if channel is None or channel.live is None:
        out.items.append(broken(entry, "no channel here reads it"))
        return out
    try:
        for heard in channel.live.parse(entry.delivery, account, country):
            _add(out, heard, channel.medium)
    except Exception as error:  # noqa: BLE001 - an entry that stops a channel must not stop others
        _log.error("a delivery to %s could not be read: %s", entry.account, type(error).__name__)
        out = Read([broken(entry, "it could not be read")])
    return out


def broken(entry: Entry, reason: str) -> Broken:
    """The whole of a delivery, for a person to look at."""
    delivery = entry.delivery
    where = f"a delivery to {entry.account}"
    kind = delivery.headers.get("content-type", "application/octet-stream")
    content = delivery.body or delivery.urls[0].encode("utf-8", "replace")
    return Broken(entry.channel, where, reason, content, kind)


def _add(out: Read, heard: Heard, medium: str) -> None:
    match heard:
        case Arrived(message, files):
            message = _finished(message, medium)
            out.items.append(message)
            out.files.append((message, files))
        case Message():
            out.items.append(_finished(heard, medium))
        case Broken():
            out.items.append(heard)
        case Status():
            out.statuses.append(heard)
        case Wished():
            out.wishes.append(heard)


def _finished(message: Message, medium: str) -> Message:
    from dataclasses import replace

    if medium and not message.medium:
        message = replace(message, medium=medium)
    bounded = with_bounded_text(message)
    return bounded if isinstance(bounded, Message) else message

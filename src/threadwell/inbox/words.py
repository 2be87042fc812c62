"""Codes, counts and times as a page says them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from zlib import crc32

from threadwell.channels.called import TEXT, UNKNOWN
from threadwell.channels.channel import Channel, ChannelKind
from threadwell.channels.services import SERVICES, service_of_way


class Status(NamedTuple):
    """A status for people, and the class of its pill."""

    word: str
    look: str


class Badge(NamedTuple):
    """How a page shows a channel: which drawing stands for it, and what it is called.

    ``label`` is what the channel calls itself, which may be the topic of a thread that has none.
    """

    kind: ChannelKind
    name: str
    label: str = ""

    def is_topic(self, topic: str) -> bool:
        """Whether the topic of a thread tells no more than its channel."""
        return topic in (self.name, self.label)

    def topic(self, topic: str) -> str:
        """The topic of a thread for people: what it is called, where that tells no more."""
        return self.name if self.is_topic(topic) else topic


class Badges:
    """The badges of all channels, and of the ways of messages that no channel of ours brought."""

    def __init__(self, channels: Iterable[Channel]) -> None:
        channels = list(channels)
        ours = {one.name: Badge(one.kind, _word(one), one.label) for one in channels}
        self._all = {"": Badge(ChannelKind.CHAT, UNKNOWN), **_MEDIA, **ours}
        self.choices = sorted((one.name, _choice(one)) for one in channels)

    def of(self, name: str) -> Badge:
        """The badge of a way as ``SessionSummary.ways`` has it; ``""`` is unknown."""
        channel, service = service_of_way(name)
        found = self._all.get(channel) or Badge(ChannelKind.CHAT, channel)
        return Badge(ChannelKind.CHAT, SERVICES[service], found.label) if service else found


#: The choices of the list's status filter: the key in the URL, and its label.
STATUSES = {"all": "All", "open": "Open", "finished": "Finished", "superseded": "Superseded"}

_SUPERSEDED = "entered-in-error"
#: What is told by a medium alone.
_MEDIA = {
    "email": Badge(ChannelKind.EMAIL, "E-mail"),
    "sms": Badge(ChannelKind.SMS, TEXT),
    "app": Badge(ChannelKind.CHAT, "App"),
}


def _word(channel: Channel) -> str:
    return TEXT if channel.kind is ChannelKind.SMS else channel.label


def _choice(channel: Channel) -> str:
    """The word, and by which way it came where that is more."""
    word = _word(channel)
    return channel.label if channel.label.startswith(word) else f"{word} ({channel.label})"


def status_of(code: str) -> Status:
    """``Encounter.status`` for people."""
    if code == "finished":
        return Status("Finished", "")
    if code == _SUPERSEDED:
        return Status("Superseded", "warn")
    if code == "cancelled":
        return Status("Cancelled", "")
    return Status("Open" if code == "in-progress" else code.replace("-", " ").capitalize(), "open")


def split_commands(sentence: str) -> list[tuple[bool, str]]:
    """The pieces of a sentence, and whether each is a command, which stands in backticks."""
    return [(bool(at % 2), piece) for at, piece in enumerate(sentence.split("`")) if piece]


def number(number: int) -> str:
    """``12,000``."""
    return f"{number:,}"


def count(number: int, noun: str) -> str:
    """``1 session``, ``1,200 sessions``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def initials(name: str) -> str:
    """Up to two letters for a picture of somebody; ``#`` for a number."""
    words = [word for word in name.replace("&", " ").split() if word[0].isalpha()]
    if not words:
        return "#"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def hue(name: str) -> int:
    """One of the six colours, the same for the same name."""
    return crc32(name.encode()) % 6


def size_text(size: Any) -> str:
    """A number of bytes for people: ``18 KB``."""
    if not isinstance(size, int):
        return ""
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size} {unit}"
        size = round(size / 1000)
    return f"{size} GB"

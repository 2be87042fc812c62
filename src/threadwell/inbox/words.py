"""Codes, counts and times as a page says them."""

from __future__ import annotations

from typing import Any, NamedTuple
from zlib import crc32

from threadwell.encounters.codes import channel_name


class Status(NamedTuple):
    """A status for people, and the class of its pill."""

    word: str
    look: str


class Channel(NamedTuple):
    """The way that messages came: which drawing stands for it, and its name."""

    kind: str
    name: str


#: The choices of the list's status filter: the key in the URL, and its label.
STATUSES = {"all": "All", "open": "Open", "finished": "Finished", "superseded": "Superseded"}

_SUPERSEDED = "entered-in-error"
#: What a way of messages is drawn as, and called where no channel of ours has its name.
_DRAWN = {"email": "email", "sms_backup": "sms", "sms": "sms"}
_CALLED = {"email": "E-mail", "sms": "SMS", "app": "App"}


def status_of(code: str) -> Status:
    """``Encounter.status`` for people."""
    if code == "finished":
        return Status("Finished", "")
    if code == _SUPERSEDED:
        return Status("Superseded", "warn")
    if code == "cancelled":
        return Status("Cancelled", "")
    return Status("Open" if code == "in-progress" else code.replace("-", " ").capitalize(), "open")


def channel_named(name: str) -> Channel:
    """The channel of a name as ``SessionSummary.channels`` has it; ``""`` is unknown."""
    called = _CALLED.get(name) or (channel_name(name) if name else "Unknown")
    return Channel(_DRAWN.get(name, "chat"), called)


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

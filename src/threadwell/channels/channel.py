"""What a channel is: how it tells its own files, and how it reads them.

A channel turns one file or folder into messages. It knows nothing of other channels, of threads,
people or FHIR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from threadwell.channels.live import Live
from threadwell.messages import Address, Broken, Message

#: How many bytes of a file ``Channel.sniff`` is given.
HEAD_BYTES = 16_384


def _silently(_sentence: str) -> None:
    """Tell nobody."""


class Span(NamedTuple):
    """Rows of a table that are read without the others: from one place in its file to another.

    Places are bytes of text, or rows of Parquet. ``before`` is the number of the last row before
    it, and ``last`` that of the last one in it, 0 where the file ends with it.
    """

    begins: int
    ends: int
    before: int
    last: int


def _to_nobody() -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What an export does not say of itself.

    ``zone`` is the zone of times that are written without one, ``None`` where nobody has said: a
    channel then raises ``NeedsZone`` rather than guess. ``owner`` are the practice's own
    addresses: an SMS backup and a WhatsApp export say "me" where they mean one of them.
    ``country`` (ISO 3166-1 alpha-2) is where phone numbers without a country code belong, and
    decides between day and month where a date can be read both ways. ``tell`` is told, in a
    sentence, of a file that is left out. ``earlier_ids`` asks for the ids that earlier builds made
    of messages, beside those that are made now. Of a channel that is ``striped``, ``stripe`` (a
    number, and of how many) tells which part of a file is meant: together they are the whole. So
    are the spans that ``Channel.spans`` tells, of which ``span`` is one; ``fits`` is called when it
    was read and was what it was thought to be.
    """

    zone: ZoneInfo | None
    owner: tuple[Address, ...] = ()
    country: str = "US"
    tell: Callable[[str], None] = _silently
    earlier_ids: bool = False
    stripe: tuple[int, int] = (0, 1)
    span: Span | None = None
    fits: Callable[[], None] = _to_nobody


class NeedsZone(Exception):
    """The times of a file have no zone, and ``ReadOptions`` has none either."""

    def __init__(self) -> None:
        super().__init__(
            "the times in these files have no zone: say which, such as --zone America/New_York"
        )


def _reads_none(_head: bytes, _path: Path) -> bool:
    return False


def _nothing(_path: Path, _options: ReadOptions) -> Iterator[Message | Broken]:
    return iter(())


def _no_reason(_head: bytes, _path: Path) -> str:
    return ""


def _none(_path: Path) -> Iterable[Path]:
    return ()


def _no_spans(_path: Path, _count: int) -> list[Span]:
    return []


class ChannelKind(StrEnum):
    """What a channel is like, to those who read: a page draws an envelope for mail."""

    EMAIL = "email"
    SMS = "sms"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Channel:
    """One kind of export.

    ``name`` is the name of its folder, and ``label`` what people call it: the topic of a thread
    whose messages have no subject. ``medium`` is the code of ``Communication.medium`` (v3
    ParticipationMode) of its messages, unless one of them names another, ``""`` if none.
    ``description`` says what it reads.

    ``sniff(head, path)`` tells by the first ``HEAD_BYTES`` bytes whether a file is one of this
    channel's; ``path`` may be a member of an archive that is not on disk. A folder that is read
    as a whole (a Maildir) is offered with an empty ``head``. ``read(path, options)`` yields every
    message in the order of the file, and a ``Broken`` for each part that is none; it raises
    nothing but ``OSError`` and ``NeedsZone``. ``companions(path)`` are the files beside ``path``
    that its messages name as attachments, and that are therefore not files to import.
    ``rest(path)`` is what in a folder that is read as a whole is no part of it, and is looked at
    like anything else (the files and folders beside a Maildir's own three). ``nearly(head, path)``
    says of a file that no channel knows what it lacks to be one of this channel's, in plain words
    without any of its content; ``""`` where it looks like something else. ``zoned`` says that its
    files need no zone of ours: the few times without one are read as UTC. ``live`` is how it
    hears of messages as they come (``channels/live.py``); one that does nothing else reads no
    files. One that is ``striped`` reads a part of a file where it is asked for that: every process
    that does so reads all of it, and takes what is its own. ``spans(path, count)`` are about so
    many parts of which each is read by itself; none where the file cannot be cut so. Where a cut is
    wrong, as the file is not as most are, ``ReadOptions.fits`` is not called for one of the spans.
    """

    name: str
    label: str
    description: str
    sniff: Callable[[bytes, Path], bool] = _reads_none
    read: Callable[[Path, ReadOptions], Iterator[Message | Broken]] = _nothing
    companions: Callable[[Path], Iterable[Path]] = _none
    rest: Callable[[Path], Iterable[Path]] = _none
    nearly: Callable[[bytes, Path], str] = _no_reason
    zoned: bool = False
    kind: ChannelKind = ChannelKind.CHAT
    medium: str = ""
    live: Live | None = None
    striped: bool = False
    spans: Callable[[Path, int], list[Span]] = _no_spans

    @property
    def reads_files(self) -> bool:
        """Whether it has exports; some channels only hear of messages as they come."""
        return self.read is not _nothing

    def messages(self, path: Path, options: ReadOptions) -> Iterator[Message | Broken]:
        """What ``read`` yields, each message with a medium.

        A channel whose exports are long names the medium itself: a message that is made twice
        takes half as long again to read.
        """
        found = self.read(path, options)
        return self._with_medium(found) if self.medium else found

    def _with_medium(self, items: Iterator[Message | Broken]) -> Iterator[Message | Broken]:
        for item in items:
            if isinstance(item, Message) and not item.medium:
                item = replace(item, medium=self.medium)
            yield item

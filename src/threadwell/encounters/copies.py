"""Which of the messages that bear one id are copies of one message, and what they say together.

Everything here depends on the set of copies alone: not on their order, and not on which of them
were joined before. docs/adr/0004-identity.md tells why the rules are what they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from hashlib import sha256
from typing import NamedTuple, TypeVar

from threadwell.encounters.said import EMPTY, File, Said, is_of_a_file
from threadwell.messages import AddressKind, looks

T = TypeVar("T")

#: The practice's own addresses, as ``Address.key``.
Own = Collection[tuple[AddressKind, str]]

_SECOND_US = 1_000_000
_MINUTE_US = 60_000_000
#: A shorter text that another one begins with may be a message of its own.
_SHORTEST_PIECE = 20
#: Soft hyphens, marks of direction and width, byte order marks.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
#: What programs put around words for emphasis, quotation and lists.
_MARKUP = "*_>|•·"
#: What stands where a text was cut.
_CUT = ".… "


class Group(NamedTuple):
    """Copies of one message: what they say together, and which of the given ones they are."""

    said: Said
    members: tuple[int, ...]


class _Words(NamedTuple):
    """What is compared of a message's words: subject and text without their appearance."""

    subject: str
    text: str


def tell_apart(copies: Sequence[Said], own: Own, *, one: bool = False) -> list[Group]:
    """The messages of which ``copies`` are copies, in a fixed order.

    Copies have their sender, time, words and first recipient in common, where all addresses of the
    practice (``own``) count as one. With ``one`` it is known already that all are copies of one
    message. One whose words were cut off belongs to those that begin with them, unless it has a
    file or a recipient that none of them has.
    """
    if one:
        everything = tuple(range(len(copies)))
        return [Group(reduce(joined, sorted(copies, key=_rank)), everything)]
    out = [
        group
        for some in _alike(copies, own)
        for group in _by_words({at: copies[at] for at in some})
    ]
    return sorted(out, key=lambda group: _rank(group.said))


def joined(one: Said, other: Said) -> Said:
    """What two copies of one message say together.

    A time that is off by a minute or more was read by other rules of the zone: that of ``one``
    stands. One that is no more than when a copy arrived gives way to any other.
    """
    worded = _worded(one, other)
    files = _joined_files(one.files, other.files)
    timed = _timed(one, other)
    recipients = _united(one.recipients, other.recipients)
    received = [copy.received for copy in (one, other) if copy.received]
    notes = _united(one.notes, other.notes)
    if not _shows_looks(worded) and looks.NOTE in notes:
        notes = tuple([note for note in notes if note != looks.NOTE])
    out = Said(
        one.sender,
        recipients,
        timed.sent,
        timed.wall or one.wall or other.wall,
        min(received, default=0),
        _threaded(one, other).thread,
        max(one.subject, other.subject, key=_length),
        worded.text,
        worded.new_text,
        _united(one.references, other.references),
        max(one.in_reply_to, other.in_reply_to),
        max(one.medium, other.medium),
        files,
        notes,
        (),
        one.on_arrival and other.on_arrival,
    )
    return out._replace(gaps=_gaps(out, one, other))


def fingerprint(copy: Said) -> str:
    """What tells a message apart from others that bear its id."""
    words = _words(copy)
    first = copy.recipients[0].key if copy.recipients else ("", "")
    parts = (*copy.sender.key, *first, str(copy.sent // _SECOND_US), *words)
    return sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def same_words(one: Said, other: Said) -> bool:
    """Whether two messages have the same words, whatever these look like.

    Many sources know no subject.
    """
    bare = _shows_looks(one) or _shows_looks(other)
    mine, theirs = _words(one, bare), _words(other, bare)
    subjects = {mine.subject, theirs.subject} - {""}
    return mine.text == theirs.text and len(subjects) < 2


def _alike(copies: Sequence[Said], own: Own) -> list[list[int]]:
    """The copies by sender, time and first recipient."""
    out: list[list[int]] = []
    for at, copy in enumerate(copies):
        fitting = [some for some in out if any(_is_alike(copy, copies[i], own) for i in some)]
        rest = [some for some in out if some not in fitting]
        out = [*rest, [*(i for some in fitting for i in some), at]]
    return out


def _is_alike(one: Said, other: Said, own: Own) -> bool:
    if one.sender.key != other.sender.key:
        return False
    # When a copy arrived tells nothing of when it was sent.
    timed = not (one.on_arrival or other.on_arrival)
    if (
        timed
        and one.sent // _SECOND_US != other.sent // _SECOND_US
        and (not one.wall or one.wall[:19] != other.wall[:19])
    ):
        return False
    return _addressee(one, own) == _addressee(other, own)


def _worded(one: Said, other: Said) -> Said:
    """The copy of which the words count: the longer one, and of the same the one with looks."""
    if _shows_looks(one) == _shows_looks(other):
        return max(one, other, key=lambda copy: [*map(_length, (copy.text, copy.new_text))])
    lengths = [len(_words(copy, bare=True).text) for copy in (one, other)]
    if lengths[0] == lengths[1]:
        return one if _shows_looks(one) else other
    return one if lengths[0] > lengths[1] else other


def _timed(one: Said, other: Said) -> Said:
    """The copy of which the time counts."""
    if one.on_arrival or other.on_arrival:
        return min(one, other, key=lambda copy: (copy.on_arrival, copy.sent))
    if abs(one.sent - other.sent) >= _MINUTE_US:
        return one
    return max(one, other, key=lambda copy: (copy.sent, copy.wall))


def _addressee(copy: Said, own: Own) -> tuple[AddressKind, str] | None:
    """The first recipient; ``None`` for the practice, which many exports leave out."""
    first = copy.recipients[0].key if copy.recipients else None
    return None if first in own else first


def _by_words(copies: dict[int, Said]) -> list[Group]:
    """The copies of one sender and time by what they say."""
    # An earlier build, or another program, may have read the words of one without their looks.
    bare = any(map(_shows_looks, copies.values()))
    members: dict[_Words, list[int]] = {}
    for at, copy in copies.items():
        members.setdefault(_words(copy, bare), []).append(at)
    whole = {
        words: reduce(joined, sorted((copies[at] for at in those), key=_rank))
        for words, those in members.items()
    }
    out: dict[_Words, Said] = {}
    pieces: dict[_Words, list[_Words]] = {}
    for words, copy in whole.items():
        longer = [other for other in whole if other != words and _begins(words, other)]
        rest = _beyond(copy, [whole[other] for other in longer]) if longer else copy
        if rest is None:
            pieces[words] = longer
        else:
            out[words] = rest
    for words, longer in pieces.items():
        home = max((other for other in longer if other in out), key=lambda other: [*other])
        members[home] += members[words]
    return [Group(copy, tuple(sorted(members[words]))) for words, copy in out.items()]


def _beyond(copy: Said, others: Sequence[Said]) -> Said | None:
    """What a piece has beside all that is longer: ``None`` if there is nothing of the kind.

    Whatever else there is to tell, the longer ones tell: pieces that had nothing beside them are
    forgotten, and must make no difference.
    """
    known = {file.bytes_key for other in others for file in other.files if file.there}
    files = tuple(file for file in copy.files if file.there and file.bytes_key not in known)
    whole = reduce(joined, sorted(others, key=_rank))
    recipients = _united(copy.recipients, whole.recipients)
    if not files and len(recipients) == len(whole.recipients):
        return None
    return whole._replace(
        recipients=recipients,
        subject=copy.subject,
        text=copy.text,
        new_text=copy.new_text,
        files=files,
        notes=(),
        gaps=() if copy.text or files else (EMPTY,),
    )


def _words(copy: Said, bare: bool | None = None) -> _Words:
    """With ``bare``, without the signs of looks; else where the message says that it has such."""
    bare = _shows_looks(copy) if bare is None else bare
    text = looks.without_looks(copy.text) if bare else copy.text
    return _Words(_plain(copy.subject), _plain(text))


def _shows_looks(copy: Said) -> bool:
    return looks.NOTE in copy.notes


def _plain(text: str) -> str:
    """Words without what differs between two programs' copies of them."""
    if not text:
        return ""
    seen = unicodedata.normalize("NFC", _UNSEEN.sub("", text))
    words = " ".join(filter(None, (word.strip(_MARKUP) for word in seen.split())))
    return words.rstrip(_CUT) or " ".join(text.split())


def _begins(piece: _Words, whole: _Words) -> bool:
    """Whether one may be what is left of the other: cut at its end, under a shorter subject."""
    subject = piece.subject in ("", whole.subject) or whole.subject.endswith(" " + piece.subject)
    text = piece.text == whole.text or not piece.text or len(piece.text) >= _SHORTEST_PIECE
    return subject and text and whole.text.startswith(piece.text)


def _joined_files(one: tuple[File, ...], other: tuple[File, ...]) -> tuple[File, ...]:
    """The files of two copies, each once; one that is missing in one may be there in the other."""
    if one == other or not other:
        return one
    if not one:
        return other
    if len(one) == len(other):
        pairs = list(zip(one, other, strict=True))
        if all(_may_be_one(a, b) for a, b in pairs):
            return tuple([_fuller(a, b) for a, b in pairs])
    if _covers(one, other):
        return min(one, other) if _covers(other, one) else one
    if _covers(other, one):
        return other
    there: dict[tuple[str, int], File] = {}
    for file in (*one, *other):
        if file.there:
            known = there.get(file.bytes_key, file)
            there[file.bytes_key] = max(known, file)
    missing = sorted({file for file in (*one, *other) if not file.there}, reverse=True)
    left = max(len(one), len(other)) - len(there)
    return (*sorted(there.values()), *missing[: max(left, 0)])


def _may_be_one(one: File, other: File) -> bool:
    return not one.there or not other.there or one.bytes_key == other.bytes_key


def _fuller(one: File, other: File) -> File:
    return max(one, other, key=lambda file: (file.there, len(file.name), file))


def _covers(files: tuple[File, ...], others: tuple[File, ...]) -> bool:
    """Whether nothing of ``others`` is not among ``files``."""
    if len(files) < len(others):
        return False
    there = {file.bytes_key for file in files}
    return all(file.bytes_key in there for file in others if file.there)


def _gaps(now: Said, one: Said, other: Said) -> tuple[str, ...]:
    """What is lacking still, of what either copy lacked."""
    whole = [copy for copy in (one, other) if (copy.text, copy.files) == (now.text, now.files)]
    if len(whole) == 2:
        left = [gap for gap in one.gaps if gap in other.gaps]
    else:
        left = [*whole[0].gaps] if whole else sorted({*one.gaps, *other.gaps})
    if all(file.there for file in now.files):
        left = [gap for gap in left if not is_of_a_file(gap)]
    return tuple(left)


def _threaded(one: Said, other: Said) -> Said:
    return max(one, other, key=lambda copy: (len(copy.recipients), copy.thread))


def _united(one: Sequence[T], other: Sequence[T]) -> tuple[T, ...]:
    """All of both, in the order of the one that has them all; sorted where neither has."""
    all_ = {*one, *other}
    whole = [each for each in (one, other) if len(each) == len(all_)]
    if whole:
        return tuple(min(whole, key=_as_list))
    return tuple(sorted(all_, key=_as_list))  # Any order will do that does not depend on theirs.


def _as_list(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, Iterable) else [str(value)]


def _length(text: str) -> tuple[int, str]:
    return len(text), text


def _rank(copy: Said) -> tuple[object, ...]:
    return (copy.sent, copy.sender.key, *_words(copy), copy.recipients, copy)

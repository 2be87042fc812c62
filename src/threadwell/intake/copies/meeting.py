"""What becomes of messages that meet others of the same id. Pure.

The messages of one id are told apart by what they say (``encounters/copies.py``). A sole one is
recorded under the id, several are recorded each under an identity of its own. That depends on
which messages there are, and not on which came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from threadwell.encounters.child_ids import own_of
from threadwell.encounters.copies import Group, Own, fingerprint, joined, same_words, tell_apart
from threadwell.encounters.identity import message_identity
from threadwell.encounters.said import File, Said, file_of, repeats, said, said_in
from threadwell.fhir.json import decode
from threadwell.intake.copies.occupants import Occupant, SharedId
from threadwell.intake.people.route import Held
from threadwell.messages import Address, Attachment, Message, looks
from threadwell.stores.contract import Stored

_MINUTE_US = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The bytes of files that came with messages which were read, by ``File.bytes_key``.
Bytes = dict[tuple[str, int], bytes]


@dataclass(slots=True)
class Newcomer:
    """A message that was read, and what becomes of it.

    ``refused`` tells why it cannot have a place of its own. ``child`` is the logical id of the
    message that it turned out to be; ``fresh`` where that was not there before.
    """

    message: Message
    said: Said
    refused: Held | None = None
    child: str = ""
    fresh: bool = False
    held: Held | None = None


@dataclass(slots=True)
class Record:
    """A message as it is to be recorded under ``child``.

    ``base`` is what is stored of it, if anything is; ``others`` were recorded as messages of
    their own so far, and ``newcomers`` say something that was not known.
    """

    child: str
    apart: str
    said: Said
    base: Occupant | None
    others: list[Occupant]
    newcomers: list[Newcomer]

    @property
    def moved(self) -> bool:
        """Whether it gets another identity than it had."""
        return self.base is not None and self.base.key.id != self.child


@dataclass(slots=True)
class Meeting:
    """The outcome for one id: ``vacancy`` says that nothing stands under the id itself."""

    place: SharedId
    records: list[Record] = field(default_factory=list)
    vacancy: bool = False


def meet(
    place: SharedId,
    newcomers: Sequence[Newcomer],
    own: Own,
    *,
    one: bool,
    correct: bool = False,
) -> Meeting:
    """What becomes of everything that has the id of ``place``.

    ``own`` are the practice's addresses. With ``one`` all that have the id are copies of one
    message. With ``correct`` the time of a newcomer counts, where it was read by the same clock.
    Where a newcomer has to wait, or was known already, that is noted on it.
    """
    out = Meeting(place)
    coming = _admitted(place, newcomers, own, one)
    everything = [*(each.said for each in place.occupants), *(each.said for each in coming)]
    first = len(place.occupants)
    groups = tell_apart(everything, own, one=one) if everything else []
    for group in groups:
        there = [place.occupants[at] for at in group.members if at < first]
        new = [coming[at - first] for at in group.members if at >= first]
        if any(each.fixed for each in there):
            _leave(next(each for each in there if each.fixed), new, correct)
        else:
            if correct:
                group = group._replace(said=_put_right(group.said, new))
            out.records.append(_record(place, group, there, new, sole=len(groups) == 1))
    standing = {each.key for each in place.occupants} | place.former.keys()
    out.vacancy = len(groups) > 1 and place.plain not in standing
    return out


def adds(known: Said, now: Said) -> bool:
    """Whether ``now``, which is joined out of it, tells more than ``known``."""
    if set(known.recipients) != set(now.recipients):
        return True
    return known._replace(recipients=now.recipients) != now


def says_more(known: Said, now: Said) -> bool:
    """Whether that is more than what is beside the message: its words, its files, its people."""
    return adds(
        known._replace(recipients=known.recipients),
        known._replace(
            recipients=now.recipients, subject=now.subject, text=now.text, files=now.files
        ),
    )


def is_known(stored: Stored, message: Message, own: Own, *, correct: bool = False) -> bool:
    """Whether what stands under the id of a message says all of it already.

    What we did not write, or somebody has made unreadable, is let alone. With ``correct``, one
    that was read at another time by the same clock is to be put right.
    """
    if stored.deleted:
        return False
    body = decode(stored.body)
    there = own_of(body)
    if there is not None and there.old:
        return False
    if there is not None and repeats(body, message):
        return True
    before, now = said_in(body, message.thread_hint), said(message)
    if there is None or before is None or before == now:
        return True
    groups = tell_apart([before, now], own, one=message.made_id)
    if correct and len(groups) == 1 and is_moved(before, now):
        return False
    return len(groups) == 1 and not adds(before, groups[0].said)


def as_message(record: Record) -> Message:
    """A message that is nowhere yet, with all that its copies tell of it."""
    messages = [each.message for each in record.newcomers]
    return replace(together(messages, record.said), apart=record.apart)


def together(messages: Sequence[Message], now: Said) -> Message:
    """Copies of one message, at least one, that together say ``now``."""
    best = messages[0]
    if not adds(said(best), now):
        return best
    bytes_, names = bytes_of(messages), _names(messages)
    return replace(
        best,
        sender=names.get(best.sender.key, best.sender),
        recipients=tuple([names.get(one.key, one) for one in now.recipients]),
        sent=_EPOCH + timedelta(microseconds=now.sent),
        wall=datetime.fromisoformat(now.wall) if now.wall else None,
        on_arrival=now.on_arrival,
        received=_EPOCH + timedelta(microseconds=now.received) if now.received else None,
        thread_hint=now.thread,
        subject=now.subject,
        text=now.text,
        new_text=now.new_text,
        references=now.references,
        in_reply_to=now.in_reply_to,
        medium=now.medium,
        attachments=tuple([_attachment(file, bytes_) for file in now.files]),
        notes=(*now.notes, *now.gaps),
    )


def bytes_of(messages: Iterable[Message]) -> Bytes:
    """The bytes of the files that came with messages."""
    return {
        file_of(one).bytes_key: one.content
        for message in messages
        for one in message.attachments
        if one.content is not None
    }


def _admitted(
    place: SharedId, newcomers: Sequence[Newcomer], own: Own, one: bool
) -> list[Newcomer]:
    """The newcomers that may have a place.

    One that has to wait by itself may be a copy of a message that has a place, with no other
    address in it: then it is known where it belongs.
    """
    out = []
    for new in newcomers:
        if new.refused:
            at_home = _home(place.occupants, new, own, one)
            if at_home is None:
                new.held = new.refused
                continue
            if not adds(at_home.said, joined(at_home.said, new.said)):
                new.child = at_home.key.id
                continue
        out.append(new)
    return out


def _home(occupants: Sequence[Occupant], new: Newcomer, own: Own, one: bool) -> Occupant | None:
    for each in occupants:
        together = len(tell_apart([each.said, new.said], own, one=one)) == 1
        if together and set(new.said.recipients) <= set(each.said.recipients):
            return each
    return None


def is_moved(before: Said, now: Said) -> bool:
    """Whether the same clock was read in another way, and not just more exactly."""
    return bool(before.wall and now.wall) and abs(before.sent - now.sent) >= _MINUTE_US


def _put_right(known: Said, newcomers: Sequence[Newcomer]) -> Said:
    for new in newcomers:
        if is_moved(known, new.said):
            known = known._replace(sent=new.said.sent, wall=new.said.wall)
    return known


def _leave(keeper: Occupant, newcomers: Sequence[Newcomer], correct: bool) -> None:
    """Change nothing; a copy that would complete a billed message is for a person to decide."""
    for new in newcomers:
        new.child = keeper.key.id
        moved = correct and is_moved(keeper.said, new.said)
        more = moved or says_more(keeper.said, joined(keeper.said, new.said))
        if keeper.locked and more:
            new.held = Held(new.message, "locked-session")


def _record(
    place: SharedId,
    group: Group,
    there: Sequence[Occupant],
    newcomers: list[Newcomer],
    *,
    sole: bool,
) -> Record:
    apart = "" if sole else _apart(group.said, there)
    id_ = message_identity(place.channel, place.external_id, apart).id
    base = next((each for each in there if each.key.id == id_), next(iter(there), None))
    for at, new in enumerate(newcomers):
        new.child, new.fresh = id_, base is None and not at
    others = [each for each in there if each is not base]
    return Record(id_, apart, group.said, base, others, newcomers)


def _apart(now: Said, there: Sequence[Occupant]) -> str:
    """What tells it apart from others of its id.

    An earlier build has read the same words without their looks, and made it of those: it stays.
    """
    kept = {
        own.apart
        for each in there
        if looks.NOTE in now.notes and same_words(each.said, now)
        if (own := own_of(each.body)) is not None and own.apart
    }
    return min(kept) if kept else fingerprint(now)


def _attachment(file: File, bytes_: Bytes) -> Attachment:
    return Attachment(file.name, file.type, bytes_[file.bytes_key] if file.there else None)


def _names(messages: Iterable[Message]) -> dict[object, Address]:
    """The addresses of messages under the fullest of the names that came with them."""
    out: dict[object, Address] = {}
    for message in messages:
        for one in (message.sender, *message.recipients):
            known = out.get(one.key, one)
            out[one.key] = max(known, one, key=lambda each: (len(each.display), each.display))
    return out

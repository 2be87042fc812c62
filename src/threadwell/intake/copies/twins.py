"""Messages that may be there already, come by another way under another id.

A phone's backup and its provider's log, a webhook and a mailbox, two accounts of one number: each
gives its own id to the same message. What says the same to the same people at about the same time,
by another channel or another account, is held for a person to look at, and never dropped. What a
person has said is kept by the message's id, so that it is not asked again: it is that other
message, or another one than that.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple, TypeAlias

from threadwell.encounters.child_ids import REPLY, ways_of
from threadwell.encounters.people import Party
from threadwell.encounters.placed import Placed
from threadwell.encounters.said import Said, said, said_in
from threadwell.encounters.twins import WINDOW_US, may_be_one
from threadwell.fhir.json import decode
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.place import thread_of
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.values import Values
from threadwell.intake.links import as_key
from threadwell.intake.people.route import address_key
from threadwell.messages import AddressKind, Broken, Message
from threadwell.messages.deleted import DELETED
from threadwell.stores.contract import Key, Stored

_KIND = "twin"
#: What is kept of a message: which one it is, or those that it is not.
_SAME, _APART = "same", "apart"
_MINUTE_US = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Current: TypeAlias = Callable[[Sequence[Key]], Awaitable[dict[Key, Stored]]]
Item: TypeAlias = Message | Broken


class _One(NamedTuple):
    """What a person has said: that a message is the one of that channel, id and ``child``."""

    channel: str
    external_id: str
    child: str


class Twins:
    """What one run knows of them; ``current`` answers what is stored or on its way."""

    def __init__(self, values: Values, project: str, current: Current) -> None:
        self._values = values
        self._project = project
        self._current = current
        self._any = False
        self._apart: dict[tuple[str, str], list[str]] = {}

    async def known(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items, each message that is another one as a person has said under the id of that.

        With this a batch begins.
        """
        self._apart = {}
        if not await self._has_any():
            return items
        names = {self._name(one): one for one in items if isinstance(one, Message)}
        found = await self._values.get_many(_KIND, names)
        ones: dict[tuple[str, str], _One] = {}
        for name, value in found.items():
            id_ = (names[name].channel, names[name].external_id)
            said_of = json.loads(value)
            if _SAME in said_of:
                ones[id_] = _One(*said_of[_SAME])
            else:
                self._apart[id_] = said_of[_APART]
        if not ones:
            return items
        there = await self._read({one.child for one in ones.values()})
        return [
            _as_there(one, ones[one.channel, one.external_id], there)
            if isinstance(one, Message) and (one.channel, one.external_id) in ones
            else one
            for one in items
        ]

    async def suspect(self, circle: Circle, placed: Placed, message: Message) -> str:
        """The message (``Communication/…``) that one may be which is to be placed; ``""`` for none.

        Of several it is the one that is nearest in time.
        """
        if message.author:
            return ""
        apart = self._apart.get((message.channel, message.external_id), ())
        near = [one for one in _near(circle, placed) if one.child not in apart]
        gone = [one for one in _deleted(circle, placed, message) if one.child not in apart]
        if not (near or gone):
            return ""
        bodies = await self._current([Key("Communication", one.child) for one in (*near, *gone)])
        mine = said(message)
        for one in sorted(near, key=lambda each: abs(each.sent.at - placed.sent.at)):
            says = self._says(one, message, bodies.get(Key("Communication", one.child)))
            if says is not None and may_be_one(mine, says):
                return f"Communication/{one.child}"
        for one in gone:
            says = self._says(one, message, bodies.get(Key("Communication", one.child)))
            if says is not None and (message.taken_back or DELETED in says.notes):
                return f"Communication/{one.child}"
        return ""

    def say_same(self, batch: Batch, message: Message, channel: str, id_: str, child: str) -> None:
        """Keep that a message is the one of that channel and id, whose ``child`` that is."""
        self._keep(batch, message, {_SAME: [channel, id_, child]})

    def say_also(
        self, batch: Batch, named: Iterable[tuple[Placed, Message]], held: Container[str]
    ) -> None:
        """Keep under which other ids their provider knows new messages, but for those ``held``."""
        for one, message in named:
            for id_ in () if one.shared or one.child in held else message.also:
                other = replace(message, external_id=id_)
                self.say_same(batch, other, one.channel, one.external_id, one.child)

    async def say_another(self, batch: Batch, message: Message, twin: str) -> None:
        """Keep that a message is another one than ``twin`` (``Communication/…``)."""
        name = self._name(message)
        before = (await self._values.get_many(_KIND, [name])).get(name)
        apart = json.loads(before).get(_APART, []) if before else []
        self._keep(batch, message, {_APART: [*apart, as_key(twin).id]})

    def _says(self, one: Placed, message: Message, stored: Stored | None) -> Said | None:
        """What one says; ``None`` where another than ``message``, come the same way, is it."""
        if one.message is not None:
            return said(one.message)
        if stored is None or stored.deleted:
            return None
        body = decode(stored.body)
        # One that was taken back counts as well: else it would come back by another way.
        if (message.channel, message.source) in ways_of(body):
            return None
        return said_in(body, "")

    async def _read(self, children: Iterable[str]) -> dict[str, Said]:
        """What those messages say, each with its thread."""
        found = await self._current([Key("Communication", one) for one in children])
        bodies = {key.id: decode(one.body) for key, one in found.items() if not one.deleted}
        parents = {id_: as_key(_parent(body)) for id_, body in bodies.items() if _parent(body)}
        headers = await self._current(list(set(parents.values())))
        out: dict[str, Said] = {}
        for id_, body in bodies.items():
            header = headers.get(parents[id_]) if id_ in parents else None
            thread = thread_of(decode(header.body)) if header and not header.deleted else None
            hint = thread.id if thread and not thread.by_references else ""
            if (says := said_in(body, hint)) is not None:
                out[id_] = says
        return out

    async def _has_any(self) -> bool:
        if not self._any:
            self._any = bool(await self._values.get_many(_KIND, [self._project]))
        return self._any

    def _keep(self, batch: Batch, message: Message, said_of: dict[str, list[str]]) -> None:
        self._values.put(batch, _KIND, self._name(message), json.dumps(said_of).encode())
        self._any = True
        self._values.put(batch, _KIND, self._project, b"1")

    def _name(self, message: Message) -> str:
        id_ = f"{message.channel}|{message.external_id}".encode("utf-8", "surrogatepass")
        return f"{self._project}/{sha256(id_).hexdigest()[:32]}"


def with_other_ids(placed: Iterable[Iterable[Placed]]) -> list[tuple[Placed, Message]]:
    """Those of new messages to which their provider gives several ids."""
    every = ((one, one.message) for those in placed for one in those)
    return [(one, message) for one, message in every if message is not None and message.also]


def _as_there(message: Message, one: _One, there: Mapping[str, Said]) -> Message:
    """A message as the one that is there, with the files that came with it."""
    as_it = replace(message, channel=one.channel, external_id=one.external_id, earlier_ids=())
    says = there.get(one.child)
    if says is None:
        return as_it
    return replace(
        as_it,
        sender=says.sender,
        recipients=says.recipients,
        sent=_EPOCH + timedelta(microseconds=says.sent),
        wall=datetime.fromisoformat(says.wall) if says.wall else None,
        on_arrival=says.on_arrival,
        received=_EPOCH + timedelta(microseconds=says.received) if says.received else None,
        thread_hint=says.thread,
        subject=says.subject,
        text=says.text,
        new_text=says.new_text,
        references=says.references,
        in_reply_to=says.in_reply_to,
        medium=says.medium,
        notes=(*says.notes, *says.gaps),
    )


def may_have_twins(circle: Circle, placed: Placed, message: Message) -> bool:
    """Whether ``Twins.suspect`` has anything to look for: for most messages it has not."""
    return (
        circle.has_others(placed.channel, placed.source)
        or circle.is_reworded
        or bool(message.taken_back and message.besides)
    )


def _near(circle: Circle, placed: Placed) -> Iterator[Placed]:
    """The messages that came another way at about that time, from and to the same people."""
    others = circle.of_others(placed.channel, placed.source, placed.sent.at, WINDOW_US)
    for one in others:
        if one.shared or _may_be_its_copy(one, placed):
            continue
        if _same_way(circle.parties, placed, one):
            yield one


def _deleted(circle: Circle, placed: Placed, message: Message) -> Iterator[Placed]:
    """The messages that one may be of which an export tells only that it was deleted.

    Where the message still has its words, those are what is left of it in another export.
    """
    if message.taken_back and not message.besides:
        # It says by its id which one was deleted.
        return
    if not (circle.is_reworded or message.taken_back):
        return
    minute = placed.sent.at - placed.sent.at % _MINUTE_US
    for one in circle.of_channel(placed.channel, minute, minute + _MINUTE_US - 1):
        if one.shared or one.external_id in message.besides or one.edited or placed.edited:
            continue
        alike = one.sent.thread == placed.sent.thread and one.sender == placed.sender
        if alike and one.retracted != message.taken_back:
            yield one


def _may_be_its_copy(one: Placed, placed: Placed) -> bool:
    """Whether one was written here, and the other may be that, as its own account tells of it.

    Which it is follows from the id that its provider gives it, once that is known.
    """
    written = one.channel == placed.channel and one.external_id.startswith(REPLY)
    return written and not (one.source and placed.source)


def _same_way(parties: Mapping[str, Party], one: Placed, other: Placed) -> bool:
    """Whether both went from the same sender to the same people; all of the practice is one."""
    mine, theirs = parties.get(one.sender), parties.get(other.sender)
    if mine is None or theirs is None or not _same(mine, theirs):
        return False
    to = [parties[key] for key in one.recipients if key in parties and not _ours(parties[key])]
    left = [parties[key] for key in other.recipients if key in parties and not _ours(parties[key])]
    if len(to) != len(left):
        return False
    for each in to:
        found = next((at for at, party in enumerate(left) if _same(each, party)), None)
        if found is None:
            return False
        del left[found]
    return True


def _same(one: Party, other: Party) -> bool:
    if _ours(one) or _ours(other):
        return _ours(one) and _ours(other)
    if address_key(one.address) == address_key(other.address):
        return True
    # A name in an app and a number are the same where they are the same person's.
    named = AddressKind.OTHER in (one.address.kind, other.address.kind)
    return named and bool(one.users) and one.users == other.users


def _ours(party: Party) -> bool:
    return bool(party.practice) and not party.circle


def _parent(child: Mapping[str, object]) -> str:
    parts = child.get("partOf")
    return str(parts[0].get("reference", "")) if isinstance(parts, list) and parts else ""

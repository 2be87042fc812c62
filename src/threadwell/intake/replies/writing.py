"""A person of the practice replies in a thread.

The reply is a message like any other: it gets its place in the thread, the circle and the session,
and keeps it whatever comes later. In the same commit it is in the outbox, to be sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from threadwell.channels.account import Account
from threadwell.channels.channel import Channel
from threadwell.encounters import codes
from threadwell.encounters.child import REPLY
from threadwell.encounters.corrected import Agent
from threadwell.encounters.merge import is_live
from threadwell.encounters.placed import Placed
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import Clock, derived_id, new_id, now_ms
from threadwell.intake.accounts import accounts
from threadwell.intake.arrivals.consents import may_write
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.due import patients_of
from threadwell.intake.circles.place import child_id, thread_of
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.correcting import SOMEBODY
from threadwell.intake.importing import revise
from threadwell.intake.links import as_key, circle_of
from threadwell.intake.people.route import Refusal
from threadwell.intake.replies.outbox import Entry, queued
from threadwell.intake.run import Run
from threadwell.intake.sent_ids import replied
from threadwell.intake.settings import Settings
from threadwell.messages import Address, Attachment, Message
from threadwell.stores.contract import Key, Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Who may write for the practice.
AUTHORS = ("Practitioner/", "PractitionerRole/")


class BadReply(ValueError):
    """The reply cannot be taken; the message says why, without any content."""


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply as it is in the record: ``message`` and ``thread`` are ``Communication/…``.

    ``account`` is that by which it is sent. It was ``there`` already where the same key had come
    before: then nothing was done.
    """

    report: Report
    message: str
    thread: str
    account: str
    there: bool = False


async def reply(
    store: Store,
    project: str,
    thread: str,
    text: str,
    settings: Settings,
    channels: Mapping[str, Channel],
    *,
    sender: str,
    answers: str = "",
    files: Sequence[Attachment] = (),
    key: str = "",
    by: Agent = SOMEBODY,
    clock: Clock = now_ms,
) -> Replied:
    """Reply in the thread of a header, or of a message (``Communication/…``).

    It goes to those who wrote the message that it ``answers``, which is the last one that came in
    unless it is given. ``sender`` is the person who writes (``Practitioner/…``). ``channels`` are
    the live ones, by name. The same ``key`` given twice is one reply. Raises ``BadReply``, and
    ``Contended`` if others keep writing.
    """
    if not text.strip() and not files:
        raise BadReply("a reply says something, or has a file")
    sender = await _author(store, project, sender)
    header, named = await _thread(store, project, thread)
    found = thread_of(header)
    assert found is not None  # It would be no thread of ours.
    channel = channel_of(header)
    live = channels[channel].live if channel in channels else None
    if live is None or live.send is None:
        raise BadReply(f"{channel or 'its channel'} sends nothing: reply where it came from")
    sizes = [len(one.content or b"") for one in files]
    if exceeded := live.limits(found.id).exceeded(text, sizes):
        raise BadReply(exceeded)
    circle = circle_of(header)
    mine = [one for one in await accounts(store, project) if one.channel == channel]
    name = derived_id(f"{project}|{circle}|{found.id}", key) if key else new_id(clock())
    asked = _Asked(
        header, channel, found.id, named or answers, mine, text, tuple(files), sender, name
    )

    async def make(run: Run) -> Batch:
        who = await patients_of(run.people, circle, header["id"])
        if not who:
            raise BadReply(f"{thread} belongs to patients who cannot be told any more")
        asked.find((await run.circles({circle: who}))[circle])
        return await asked.write(run, clock())

    report = await revise(store, project, settings, make, author=by.author or sender, clock=clock)
    return asked.done(report)


@dataclass(slots=True)
class _Asked:
    """What is to be written. ``own`` is the practice's address, ``to`` are those of others."""

    header: Resource
    channel: str
    thread: str
    answers: str
    accounts: Sequence[Account]
    text: str
    files: tuple[Attachment, ...]
    sender: str
    name: str
    account: Account = field(init=False)
    own: Address = field(init=False)
    to: tuple[Address, ...] = ()
    circle: str = ""
    answered: Placed = field(init=False)
    message: str = ""
    written: str = ""
    there: bool = False

    def find(self, circle: Circle) -> None:
        """Find out between whom the reply goes."""
        self.circle = circle.key
        self.answered = self._answered(circle)
        ends = (self.answered.sender, *self.answered.recipients)
        addresses = [circle.parties[one].address for one in ends]
        at = {own.key: (one, own) for one in self.accounts for own in one.addresses}
        own = [at[one.key] for one in addresses if one.key in at]
        if not own:
            raise BadReply(
                f"no account of {self.channel} has the address that the thread goes by: "
                "`threadwell account add` sets one up"
            )
        self.account, self.own = own[0]
        others = [one for one in addresses if one.key not in at]
        self.to = tuple(dict.fromkeys(others))
        if not self.to:
            raise BadReply("nobody but the practice takes part in the thread")

    async def write(self, run: Run, now: int) -> Batch:
        """The batch with the reply and its entry in the outbox."""
        message = self._message(now)
        self.message = child_id(message)
        there = (await run.current([Key("Communication", self.message)])).values()
        for stored in there:
            self.written, self.there = _parent(decode(stored.body)), True
            return run.begin()
        for one in self.to:
            if not await may_write(run.store, run.project, self.own, one):
                raise BadReply("the recipient has said STOP: nothing may be sent until START")
        await run.ways.find([message])
        way = run.ways.of(message)
        if isinstance(way, Refusal) or way.circle != self.circle:
            raise BadReply("it cannot be told any more whom the thread is with")
        batch = await run.prepare([message])
        write = batch.writes.get(Key("Communication", self.message))
        if write is None or write.resource is None:
            raise BadReply("its session has been billed: nothing is added to it")
        self.written = _parent(write.resource)
        entry = Entry(
            self.message,
            self.channel,
            self.account.name,
            message.external_id,
            self.thread,
            written=now,
            due=now,
        )
        batch.keep(queued(run.project, self.name, entry))
        batch.keep(replied(run.project))
        return batch

    def done(self, report: Report) -> Replied:
        """What has become of it."""
        name = f"Communication/{self.message}"
        return Replied(report, name, self.written, self.account.name, self.there)

    def _answered(self, circle: Circle) -> Placed:
        mine = sorted(
            (
                one
                for one in circle.messages.values()
                if one.channel == self.channel
                and (
                    one.thread_id == self.thread
                    or (one.link is not None and one.link.header == self.header["id"])
                )
            ),
            key=lambda one: one.sent,
        )
        if self.answers:
            id_ = as_key(self.answers).id
            found = next((one for one in mine if one.child == id_), None)
            if found is None:
                raise BadReply(f"{self.answers} is no message of the thread")
            return found
        inbound = [one for one in mine if one.sent.inbound]
        if not mine:
            raise BadReply("there is no message in the thread")
        return (inbound or mine)[-1]

    def _message(self, now: int) -> Message:
        answered = self.answered
        answers = answered.shared or answered.external_id
        by_references = answered.by_references
        return Message(
            channel=self.channel,
            external_id=f"{REPLY}{self.name}",
            sender=self.own,
            recipients=self.to,
            sent=_EPOCH + timedelta(milliseconds=now),
            text=self.text,
            new_text=self.text,
            thread_hint="" if by_references else self.thread,
            subject=answered.topic,
            references=tuple(dict.fromkeys((*answered.references, answers)))
            if by_references
            else (),
            in_reply_to=answers if answered.sent.inbound else "",
            attachments=self.files,
            medium=answered.medium,
            made_id=True,
            ours=(self.own,),
            author=self.sender,
        )


def channel_of(header: Resource) -> str:
    """The channel of a thread header, ``""`` where it has none of ours."""
    systems = (str(one.get("system", "")) for one in header.get("identifier") or ())
    return next((one.removeprefix(codes.THREAD) for one in systems if codes.THREAD in one), "")


async def _author(store: Store, project: str, name: str) -> str:
    if not name.startswith(AUTHORS):
        raise BadReply("say who writes: Practitioner/… or PractitionerRole/…")
    stored = await store.read(project, *as_key(name))
    if stored is None or stored.deleted:
        raise BadReply(f"there is no {name}")
    return name


async def _thread(store: Store, project: str, name: str) -> tuple[Resource, str]:
    """The thread header of that name, or of the message of that name, and then that message."""
    name = name if "/" in name else f"Communication/{name}"
    body, message = await _read(store, project, name), ""
    if parent := _parent(body):
        body, message = await _read(store, project, parent), name
    if not circle_of(body) or thread_of(body) is None:
        raise BadReply(f"{name} is in no thread that Threadwell keeps")
    if not is_live(body):
        raise BadReply(f"{name} is superseded: reply in the thread that has its messages now")
    return body, message


async def _read(store: Store, project: str, name: str) -> Resource:
    key = as_key(name)
    stored = await store.read(project, *key) if key.type == "Communication" else None
    if stored is None or stored.deleted:
        raise BadReply(f"there is no {name}")
    body: Resource = decode(stored.body)
    return body


def _parent(child: Resource) -> str:
    return str((child.get("partOf") or [{}])[0].get("reference", ""))

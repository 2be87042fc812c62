"""What a person of the practice wants written into a thread, and the batch that writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from threadwell.channels.account import Account
from threadwell.channels.live import Live
from threadwell.channels.templates import BadTemplates, template_for, unfilled
from threadwell.encounters.child_ids import DRAFT, REPLY
from threadwell.encounters.delivery import QUEUED, Delivery, with_delivery
from threadwell.encounters.placed import Placed
from threadwell.encounters.retracted import told
from threadwell.encounters.turned import removed_from
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.arrivals.consents import may_write
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.place import child_id
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.links import as_key
from threadwell.intake.people.route import Refusal
from threadwell.intake.receipts.making import tell_unread
from threadwell.intake.receipts.model import receipt_model
from threadwell.intake.replies.outbox import Entry, queued
from threadwell.intake.run import Run
from threadwell.intake.sent_ids import replied
from threadwell.messages import Address, Attachment, Message
from threadwell.stores.contract import Key, Stored

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadReply(ValueError):
    """The reply cannot be taken; the message says why, without any content."""


class Stale(Exception):
    """The draft has been changed meanwhile."""


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


@dataclass(slots=True)
class Asked:
    """What is to be written, under the ``name`` by which its identity is made.

    ``own`` is the practice's address, ``to`` are those of others. ``more`` are elements that stand
    on the message beside its own. A ``draft`` becomes the message, and keeps its logical
    id. A text that was ``filled_in`` is not compared with what it was when it was asked for before.
    """

    header: Resource
    channel: str
    live: Live
    thread: str
    answers: str
    accounts: Sequence[Account]
    text: str
    files: tuple[Attachment, ...]
    sender: str
    name: str
    more: Mapping[str, Any] = field(default_factory=dict)
    draft: Stored | None = None
    filled_in: bool = False
    account: Account = field(init=False)
    own: Address = field(init=False)
    to: tuple[Address, ...] = ()
    circle: Circle = field(init=False)
    answered: Placed = field(init=False)
    message: str = ""
    written: str = ""
    there: bool = False

    def shows(self, circle: Circle) -> bool:
        """Whether what is at hand of a circle has what is answered, and who wrote there last."""
        if circle.is_whole:
            return True
        mine = list(self._of_thread(circle))
        if self.answers and not any(one.child == as_key(self.answers).id for one in mine):
            return False
        inbound = (one for one in mine if one.sent.inbound and not one.retracted and one.link)
        return any(one.link and one.link.sender not in self._left for one in inbound)

    def find(self, circle: Circle) -> None:
        """Find out between whom the reply goes."""
        self.circle = circle
        self.answered = self._answered(circle)
        ends = (self.answered.sender, *self.answered.recipients)
        addresses = tuple(circle.parties[one].address for one in ends)
        at = {own.key: (one, own) for one in self.accounts for own in one.addresses}
        own = [at[one.key] for one in addresses if one.key in at]
        if not own and (by := self._by_another(addresses[1:])):
            # Of an alias nobody knows that it is one: it is not written to, nor is anybody else.
            self.account, self.own = by
            inbound = self.answered.sent.inbound
            self.to = addresses[:1] if inbound else tuple(dict.fromkeys(addresses[1:]))
        elif not own:
            raise BadReply(
                f"no account of {self.channel} has the address to which they wrote: "
                "`threadwell account add`, with it as one more --address, sets one up"
            )
        else:
            self.account, self.own = own[0]
            others = [
                one
                for one, party in zip(addresses, self._voices(), strict=True)
                # Whoever is answered is written to; others are not, once they were taken out.
                if one.key not in at and (party not in self._left or one == addresses[0])
            ]
            self.to = tuple(dict.fromkeys(others))
        if why := self.live.mute(self.account):
            raise BadReply(why)
        if not self.to:
            raise BadReply("nobody but the practice takes part in the thread")

    def _by_another(self, to: Sequence[Address]) -> tuple[Account, Address] | None:
        """The account, and its address, by which a mail that names none of ours is answered.

        It came to an alias, as a blind copy or by a list: whatever one of our addresses it is
        answered from, it stands below that mail. It is the only one that sends, or the only one
        with the domain of a recipient; ``None`` where that leaves several, or a thread is between
        two addresses.
        """
        if not self.answered.by_references:
            return None
        able = [one for one in self.accounts if one.addresses and not self.live.mute(one)]
        if len(able) > 1:
            domains = {one.value.rpartition("@")[2] for one in to}
            able = [one for one in able if one.addresses[0].value.rpartition("@")[2] in domains]
        return (able[0], able[0].addresses[0]) if len(able) == 1 else None

    async def write(self, run: Run, now: int) -> Batch:
        """The batch with the reply and its entry in the outbox."""
        message = self._message(now)
        self.message = child_id(message)
        for stored in (await run.current([Key("Communication", self.message)])).values():
            if self.draft is None:
                known = decode(stored.body)
                if not self.filled_in and self._says_other(known):
                    raise BadReply("another reply has this key, and says something else")
                self.written, self.there = parent_of(known), True
                return run.begin()
            if stored.version_id != self.draft.version_id:
                raise Stale(f"Communication/{self.message}")
        if why := self._untimely(now):
            raise BadReply(why)
        for one in self.to:
            if not await may_write(run.store, run.project, self.own, one):
                raise BadReply("the recipient has said STOP: nothing may be sent until START")
        await run.ways.find([message])
        way = run.ways.of(message)
        if isinstance(way, Refusal) or way.circle != self.circle.key:
            raise BadReply("it cannot be told any more whom the thread is with")
        batch = await run.prepare([message])
        write = batch.writes.get(Key("Communication", self.message))
        if write is None or write.resource is None:
            raise BadReply("its session has been billed: nothing is added to it")
        self.written = parent_of(write.resource)
        body = {**self.more, **write.resource}
        body["identifier"] = [*body["identifier"], *self.more.get("identifier", ())]
        if more := self.more.get("extension"):
            body["extension"] = [*more, *write.resource.get("extension", ())]
        body = with_delivery(body, Delivery(QUEUED, now * 1000))
        batch.write(Key("Communication", self.message), body, self.draft)
        await tell_unread(batch, await receipt_model(run.store, run.project), run.current)
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

    def _says_other(self, known: Resource) -> bool:
        """Whether a message that has the key says something else, as far as it still tells."""
        if known.get("status") == "entered-in-error":
            return False
        parts = known.get("payload") or ()
        text = "".join(str(part.get("contentString", "")) for part in parts)
        files = sum("contentAttachment" in part for part in parts)
        return text != self.text or files != len(self.files)

    def _untimely(self, now: int) -> str:
        """Why its channel does not take it at this time, in milliseconds; ``""`` if it does."""
        try:
            templates = self.live.templates(self.account)
        except BadTemplates:
            templates = ()
        if slot := unfilled(self.text, templates):
            return f"fill in {slot} first"
        window = self.live.window(self.thread)
        if window is None or (not self.files and template_for(self.text, self.account)):
            return ""
        inbound = [one.sent.at for one in self._of_thread(self.circle) if one.sent.inbound]
        if inbound and now * 1000 - max(inbound) <= window // timedelta(microseconds=1):
            return ""
        hours = window // timedelta(hours=1)
        said = [f"{one.name}: {one.text}" for one in templates]
        rest = "what says what one of these says: " + " | ".join(said) if said else "a template"
        return (
            f"the last message from them is more than {hours} hours old: "
            f"until they write again they can only be sent {rest}"
        )

    def done(self, report: Report) -> Replied:
        """What has become of it."""
        name = f"Communication/{self.message}"
        return Replied(report, name, self.written, self.account.name, self.there)

    def _voices(self) -> tuple[str, ...]:
        """As whom the ends of the answered message speak, the sender first."""
        link = self.answered.link
        ends = (self.answered.sender, *self.answered.recipients)
        return (link.sender, *link.recipients) if link else ("",) * len(ends)

    @property
    def _left(self) -> frozenset[str]:
        """Who was taken out of the thread, by its header."""
        return removed_from(self.header)

    def _answered(self, circle: Circle) -> Placed:
        mine = sorted(self._of_thread(circle), key=lambda one: one.sent)
        if self.answers:
            id_ = as_key(self.answers).id
            found = next((one for one in mine if one.child == id_), None)
            if found is None:
                raise BadReply(f"{self.answers} is no message of the thread")
            return found
        counted = told(mine)
        inbound = [one for one in counted if one.sent.inbound]
        staying = [one for one in inbound if not (one.link and one.link.sender in self._left)]
        inbound = staying or inbound
        if not mine:
            raise BadReply("there is no message in the thread")
        return (inbound or counted)[-1]

    def _of_thread(self, circle: Circle) -> Iterator[Placed]:
        for one in circle.messages.values():
            here = one.link is not None and one.link.header == self.header["id"]
            if one.channel == self.channel and (one.thread_id == self.thread or here):
                yield one

    def _known_as(self, external_id: str) -> str:
        """The id of a message out there, as far as that is known."""
        known_as = self.live.known_as
        if known_as is None or not external_id.startswith(REPLY):
            return external_id
        return known_as(external_id, self.own)

    def _message(self, now: int) -> Message:
        answered = self.answered
        answers = self._known_as(answered.shared or answered.external_id)
        by_references = answered.by_references
        return Message(
            channel=self.channel,
            external_id=f"{DRAFT if self.draft else REPLY}{self.name}",
            sender=self.own,
            recipients=self.to,
            sent=_EPOCH + timedelta(milliseconds=now),
            text=self.text,
            new_text=self.text,
            thread_hint="" if by_references else self.thread,
            subject=self.live.answering(answered.topic),
            references=tuple(dict.fromkeys((*answered.references, answers)))
            if by_references
            else (),
            in_reply_to=answers if answered.sent.inbound or self.answers else "",
            attachments=self.files,
            medium=answered.medium,
            made_id=True,
            ours=(self.own,),
            author=self.sender,
            source=self.live.source(self.account),
        )


def parent_of(child: Resource) -> str:
    """The header of a message (``Communication/…``), ``""`` for anything else."""
    return str((child.get("partOf") or [{}])[0].get("reference", ""))

"""Who writes at addresses that several share, by what people have said: an answer each. Pure.

An answer holds for an address, for one thread, or for one message; a narrower one wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.child_ids import own_of
from threadwell.encounters.copies import fingerprint
from threadwell.encounters.identity import Identity, message_identity
from threadwell.encounters.people import said_of
from threadwell.encounters.said import named_ids, said, said_in
from threadwell.fhir.resource import Resource
from threadwell.messages import Message


class Writing(NamedTuple):
    """What a person has said in ``task`` (``Task/…``): that those ``persons`` use an address.

    ``address`` is its key. It holds for the messages of ``thread``, or for the one ``message``,
    where one of them is not ``None``.
    """

    task: str
    address: str
    persons: frozenset[str]
    thread: Identity | None = None
    message: Identity | None = None

    @property
    def narrow(self) -> bool:
        """Whether it holds for less than the whole address."""
        return self.thread is not None or self.message is not None


class At(NamedTuple):
    """Of a message, what answers may hold for: its thread, itself, and the Tasks that it bears.

    ``messages`` are the identities under which it may have been held.
    """

    thread: Identity | None = None
    messages: tuple[Identity, ...] = ()
    tasks: frozenset[str] = frozenset()


#: Where no narrower answer can hold.
ANYWHERE = At()


@dataclass(slots=True)
class Writers:
    """The answers about the addresses that were looked up.

    ``narrow`` says whether any, of whatever address, holds for less than that.
    """

    narrow: bool = False
    _wide: dict[str, Writing] = field(default_factory=dict)
    _threads: dict[tuple[str, Identity], Writing] = field(default_factory=dict)
    _messages: dict[tuple[str, Identity], Writing] = field(default_factory=dict)
    _tasks: dict[str, Writing] = field(default_factory=dict)
    _addresses: set[str] = field(default_factory=set)

    def add(self, answers: Iterable[Writing]) -> None:
        """Take in those answers; where two are of the same, the one of the greater Task counts."""
        for one in sorted(answers, key=lambda each: each.task):
            if one.message is not None:
                self._messages[one.address, one.message] = one
            elif one.thread is not None:
                self._threads[one.address, one.thread] = one
            else:
                self._wide[one.address] = one
            self.narrow |= one.narrow
            self._tasks[one.task] = one
            self._addresses.add(one.address)

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def speak_of(self, address: str) -> bool:
        """Whether anything is said of the address, be it of one message."""
        return address in self._addresses

    def at(self, address: str, where: At) -> Writing | None:
        """What holds for an address in a message."""
        if self.narrow:
            for message in where.messages:
                if (address, message) in self._messages:
                    return self._messages[address, message]
            for task in where.tasks:
                # It was said of this very message, whatever that says more by now.
                one = self._tasks.get(task)
                if one is not None and one.message is not None and one.address == address:
                    return one
            if where.thread is not None and (address, where.thread) in self._threads:
                return self._threads[address, where.thread]
        return self._wide.get(address)


def where_it_is(message: Message) -> At:
    """Of a message that was read."""
    return At(_thread_of(message), (held_identity(message),))


def where_it_stands(child: Resource, thread_id: str, *, by_references: bool) -> At:
    """Of a stored child, whose thread has that id."""
    own = own_of(child)
    if own is None:
        return ANYWHERE
    named = [
        str(one["value"])
        for one in child.get("identifier") or ()
        if str(one.get("system", "")).startswith(codes.REFERENCE)
    ]
    first = (named or [own.external_id])[0] if by_references else thread_id
    plain = _held(own.channel, own.external_id)
    says = said_in(child, "" if by_references else thread_id)
    apart = [plain._replace(value=f"{plain.value}|{fingerprint(says)}")] if says else []
    thread = Identity(codes.THREAD + own.channel, first)
    return At(thread, (*apart, plain), borne(child))


def borne(child: Resource) -> frozenset[str]:
    """The Tasks by which the addresses of a stored child are somebody's."""
    actors = (child.get("sender") or {}, *(child.get("recipient") or ()))
    return frozenset(task for one in actors for task in said_of(one) if task)


def held_identity(message: Message) -> Identity:
    """The identity of the Task of a message that is held."""
    own = _held(message.channel, message.external_id)
    # Under an id of its provider's, another message may wait too: each has a Task.
    return (
        own if message.made_id else own._replace(value=f"{own.value}|{fingerprint(said(message))}")
    )


def _thread_of(message: Message) -> Identity:
    """The thread of a message; of a mail it is named by the first mail that it names.

    That never depends on which other mails are there.
    """
    first = message.thread_hint or next(iter(named_ids(message)), message.external_id)
    return Identity(codes.THREAD + message.channel, first)


def _held(channel: str, external_id: str) -> Identity:
    own = message_identity(channel, external_id)
    return Identity(codes.QUARANTINE, f"{channel}|{own.value}")

"""The quarantine of one run: what waits in it is kept, completed and closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import TypeAlias

from threadwell.encounters import codes
from threadwell.encounters.copies import Own, joined, tell_apart
from threadwell.encounters.corrected import Agent
from threadwell.encounters.people import reference
from threadwell.encounters.said import said
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.commits.batch import Batch
from threadwell.intake.copies.meeting import adds, together
from threadwell.intake.held.hold import (
    decode_message,
    dismissed,
    former_held_id,
    held_again,
    held_id,
    holding,
    is_dismissed,
    message_held_id,
    placed_at_last,
    reason_of,
)
from threadwell.intake.held.listing import (
    answered_held,
    is_held,
    is_waiting,
    open_held,
    quarantined,
)
from threadwell.intake.held.questions import Questions
from threadwell.intake.links import as_key
from threadwell.intake.people.route import Held
from threadwell.messages import Address, Broken, Message
from threadwell.stores.contract import Key, Store, Stored

Current: TypeAlias = Callable[[Sequence[Key]], Awaitable[dict[Key, Stored]]]
ContentOf: TypeAlias = Callable[[Key], Awaitable[bytes | None]]


class Quarantine:
    """What is held, and what is on its way there.

    ``current`` and ``content_of`` answer what is stored or on its way, ``own`` are the practice's
    addresses, and ``questions`` what is asked about shared ones. ``waiting`` are the Tasks of what
    is held and not done with, by id; ``answered`` those that somebody has closed with an answer
    who wrote, which was not taken yet.
    """

    def __init__(
        self, current: Current, content_of: ContentOf, own: Own, questions: Questions
    ) -> None:
        self._current = current
        self._content_of = content_of
        self._own = own
        self._questions = questions
        self._named: set[str] = set()
        self.waiting: dict[str, Stored] = {}
        self.answered: dict[str, Stored] = {}

    async def start(self, store: Store, project: str) -> None:
        """Find what is held, and what is asked."""
        self._questions.start()
        async for stored in open_held(store, project):
            self._wait(stored, decode(stored.body))
        async for stored in answered_held(store, project):
            self.answered[stored.id] = stored

    async def hold(self, batch: Batch, items: Sequence[Held | Broken]) -> int:
        """Hold what has to wait; how many do, without those that somebody has dismissed.

        A copy of something that waits already completes it; another message waits beside it.
        """
        tasks = await self._tasks_of(items)
        there = await self._current([Key("Task", id_) for id_ in tasks])
        waiting: list[Held | Broken] = []
        for id_, those in tasks.items():
            before = there.get(Key("Task", id_))
            if before is None:
                self._begin(batch, id_, those)
            elif not await self._goes_on(batch, before, those):
                continue
            waiting += those
        await self._questions.ask(batch, [one for one in waiting if isinstance(one, Held)])
        batch.reasons.update(map(reason_of, waiting))
        return len(waiting)

    async def renew(self, batch: Batch, still: Mapping[str, Held]) -> None:
        """Keep why the messages of those Tasks wait, where that has changed."""
        for id_, held in still.items():
            before = self.waiting.get(id_)
            if before is None:
                continue
            task, what = decode(before.body), holding(held)
            was = quarantined(task)
            if (was.reason, was.unknown, was.shared) != _why(held):
                inputs = [*task["input"][:1], *what.task["input"][1:]]
                changed = {name: what.task[name] for name in ("code", "description", "reasonCode")}
                written = {**task, **changed, "input": inputs}
                self._wait(batch.write(Key("Task", id_), written, before), written)
                batch.reviews += what.to_review
        await self._questions.ask(batch, still.values())

    def reopen(self, batch: Batch) -> None:
        """Let the messages wait again whose Tasks were closed with an answer."""
        for id_, before in self.answered.items():
            task = {**decode(before.body), "status": "requested"}
            del task["output"]
            self._wait(batch.write(Key("Task", id_), task, before), task)
        self.answered.clear()

    def ask_no_longer(self, batch: Batch) -> None:
        """Close the questions that nothing waits for any more."""
        self._questions.close(batch)

    async def close(self, batch: Batch, messages: Iterable[Message]) -> None:
        """Close the Tasks of messages that have their place now."""
        for message in messages if self.waiting else ():
            if f"{message.channel}|{message.external_id}" in self._named:
                self.finish(batch, message_held_id(message))
                former = former_held_id(message)
                if former in self.waiting and await self._is_of(self.waiting[former], message):
                    self.finish(batch, former)

    def finish(self, batch: Batch, task: str) -> bool:
        """Close a Task, if it is open: its message has a place now."""
        before = self.waiting.pop(task, None)
        if before is not None:
            self._questions.done(task)
            batch.write(Key("Task", task), placed_at_last(decode(before.body)), before)
        return before is not None

    def dismiss(self, batch: Batch, task: str, by: Agent) -> bool:
        """Close a Task, if it is open: its message will never have a place."""
        before = self.waiting.pop(task, None)
        if before is not None:
            self._questions.done(task)
            batch.write(Key("Task", task), dismissed(decode(before.body), by), before)
        return before is not None

    async def again(self, batch: Batch, before: Stored) -> bool:
        """Let a message wait again, if its Task was closed by somebody."""
        if not is_held(before) or not is_dismissed(task := decode(before.body)):
            return False
        now = held_again(task)
        self._wait(batch.write(Key("Task", before.id), now, before), now)
        why, message = quarantined(now), await self.message_of(now)
        if message is not None and why.shared:
            await self._questions.ask(batch, [Held(message, why.reason, why.unknown, why.shared)])
        return True

    async def _tasks_of(self, items: Sequence[Held | Broken]) -> dict[str, list[Held | Broken]]:
        """The items by the Task that each has, or will have."""
        former = {
            Key("Task", former_held_id(one.message))
            for one in items
            if isinstance(one, Held) and not one.message.made_id
        }
        there = await self._current(list(former)) if former else {}
        out: dict[str, list[Held | Broken]] = {}
        for item in items:
            id_ = held_id(item)
            if isinstance(item, Held):
                before = there.get(Key("Task", former_held_id(item.message)))
                if before is not None and await self._is_of(before, item.message):
                    id_ = before.id
            out.setdefault(id_, []).append(item)
        return out

    async def _is_of(self, task: Stored, message: Message) -> bool:
        """Whether a Task holds a copy of that message."""
        kept = await self.message_of(decode(task.body)) if not task.deleted else None
        if kept is None:
            return False
        return message.made_id or len(tell_apart([said(kept), said(message)], self._own)) == 1

    async def message_of(self, task: Resource) -> Message | None:
        """The message that a Task holds; ``None`` for what is none."""
        content = await self._content_of(as_key(quarantined(task).content))
        try:
            return decode_message(content) if content is not None else None
        except ValueError:  # What could not be read as a message is kept as it was.
            return None

    def _begin(self, batch: Batch, id_: str, those: Sequence[Held | Broken]) -> None:
        held = [one for one in those if isinstance(one, Held)]
        what = holding(_as_one(held) if held else those[0])
        self._wait(batch.write(Key("Task", id_), what.task), what.task)
        batch.reviews += what.to_review
        batch.write(Key("Binary", what.binary_id), what.binary, content=what.content)

    async def _goes_on(self, batch: Batch, before: Stored, those: Sequence[Held | Broken]) -> bool:
        """Whether the items wait under a Task that is there: nobody has dismissed them.

        One that had its place already waits again if it says more now.
        """
        waits = is_waiting(before)
        held = [one for one in those if isinstance(one, Held)]
        if not held or before.deleted:
            return waits
        task = decode(before.body)
        if not waits and task["status"] != "completed":
            return False
        kept = await self.message_of(task)
        if kept is None:
            return waits
        whole = _as_one([replace(held[0], message=kept), *held])
        if not adds(said(kept), said(whole.message)):
            return waits
        await self._complete(batch, before, task, whole)
        return True

    async def _complete(self, batch: Batch, before: Stored, task: Resource, now: Held) -> None:
        what = holding(now)
        inputs = [*task["input"][:1], *what.task["input"][1:]]
        written = {**task, **what.task, "identifier": task["identifier"], "input": inputs}
        self._wait(batch.write(Key("Task", before.id), written, before), written)
        binary = as_key(quarantined(task).content)
        body = {**what.binary, "securityContext": reference(f"Task/{before.id}")}
        stands = (await self._current([binary])).get(binary)
        batch.write(binary, body, stands, content=what.content)

    def _wait(self, stored: Stored, task: Resource) -> None:
        self.waiting[stored.id] = stored
        self._questions.waits(stored.id, quarantined({**task, "id": stored.id}).shared)
        for one in task.get("identifier") or ():
            if one.get("system") == codes.QUARANTINE:
                # With and without what tells apart messages of one id.
                self._named.update((one["value"], one["value"].rpartition("|")[0]))


def _as_one(those: Sequence[Held]) -> Held:
    """One of several copies that wait for the same thing, with all that they say."""
    if len(those) == 1:
        return those[0]
    messages = [one.message for one in those]
    unknown = tuple(dict.fromkeys(address for one in those for address in one.unknown))
    shared = tuple(dict.fromkeys(address for one in those for address in one.shared))
    message = together(messages, reduce(joined, map(said, messages)))
    return Held(message, those[-1].reason, unknown, shared)


def _why(held: Held) -> tuple[str, tuple[Address, ...], tuple[Address, ...]]:
    def bare(addresses: Iterable[Address]) -> tuple[Address, ...]:
        return tuple(one._replace(display="") for one in addresses)

    return held.reason, bare(held.unknown), bare(held.shared)

"""The quarantine of one run: what waits in it is kept, completed and closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import TypeAlias

from threadwell.encounters.copies import Own, joined, tell_apart
from threadwell.encounters.corrected import Agent
from threadwell.encounters.people import reference
from threadwell.encounters.said import said
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.commits.batch import Batch
from threadwell.intake.copies.meeting import adds, together
from threadwell.intake.held.awaited import Waits, awaited_by
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
from threadwell.intake.held.listing import is_answered, is_held, is_waiting, quarantined
from threadwell.intake.held.questions import Questions
from threadwell.intake.links import as_key
from threadwell.intake.people.route import Held
from threadwell.messages import Address, Broken, Message
from threadwell.stores.contract import Key, Stored

Current: TypeAlias = Callable[[Sequence[Key]], Awaitable[dict[Key, Stored]]]
ContentOf: TypeAlias = Callable[[Key], Awaitable[bytes | None]]
CircleOf: TypeAlias = Callable[[Message], str]


class Quarantine:
    """What is held, and what is on its way there.

    ``current`` and ``content_of`` answer what is stored or on its way, ``circle_of`` the key of the
    circle of a message that has a way, ``own`` are the practice's addresses, and ``questions``
    what is asked about shared ones. ``waits`` finds what waits. ``answered`` are the Tasks that
    somebody has closed with an answer who wrote, which was not taken yet, by id.
    """

    def __init__(
        self,
        current: Current,
        content_of: ContentOf,
        circle_of: CircleOf,
        own: Own,
        questions: Questions,
        waits: Waits,
    ) -> None:
        self._current = current
        self._content_of = content_of
        self._circle_of = circle_of
        self._own = own
        self._questions = questions
        self._any = False
        self.waits = waits
        self.answered: dict[str, Stored] = {}

    async def start(self) -> None:
        """Find whether anything is held."""
        self._any = await self.waits.any()

    @property
    def holds(self) -> bool:
        """Whether anything may be held."""
        return self._any

    def something_waits(self) -> None:
        """Others have held something since."""
        self._any = True

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
                await self._begin(batch, id_, those)
            elif not await self._goes_on(batch, before, those):
                continue
            waiting += those
        await self._questions.ask(batch, [one for one in waiting if isinstance(one, Held)])
        batch.reasons.update(map(reason_of, waiting))
        return len(waiting)

    async def renew(self, batch: Batch, still: Mapping[str, Held]) -> None:
        """Keep why the messages of those Tasks wait, where that has changed."""
        for id_, before in (await self.waiting(still)).items():
            held = still[id_]
            task, what = decode(before.body), holding(held)
            was = quarantined(task)
            if (was.reason, was.unknown, was.shared, was.twin) != (*_why(held), held.twin):
                inputs = [*task["input"][:1], *what.task["input"][1:]]
                changed = {name: what.task[name] for name in ("code", "description", "reasonCode")}
                written = {**task, **changed, "input": inputs}
                written.pop("focus", None)
                if held.twin:
                    written["focus"] = what.task["focus"]
                self._questions.leave(was.shared)
                batch.write(Key("Task", id_), written, before)
                await self._wait(batch, id_, held)
                batch.reviews += what.to_review
        await self._questions.ask(batch, still.values())

    async def reopen(self, batch: Batch) -> None:
        """Let the messages wait again whose Tasks were closed with an answer."""
        for id_, before in self.answered.items():
            task = {**decode(before.body), "status": "requested"}
            del task["output"]
            batch.write(Key("Task", id_), task, before)
            await self.find_by(batch, {**task, "id": id_})
        self.answered.clear()

    async def ask_no_longer(self, batch: Batch) -> None:
        """Close the questions that nothing waits for any more."""
        await self._questions.close(batch, self.waits)

    async def waiting(self, tasks: Iterable[str]) -> dict[str, Stored]:
        """Those of the Tasks that are not done with, by id."""
        found = await self._current([Key("Task", id_) for id_ in tasks])
        return {key.id: one for key, one in found.items() if is_held(one) and is_waiting(one)}

    async def close(self, batch: Batch, messages: Sequence[Message]) -> None:
        """Close the Tasks of messages that have their place now."""
        if not self._any or not messages:
            return
        ids = {message_held_id(one): one for one in messages}
        former = {former_held_id(one): one for one in messages}
        there = await self.waits.those_of({**ids, **former})
        done = [id_ for id_ in there if id_ in ids]
        waiting = await self.waiting(id_ for id_ in there if id_ not in ids)
        done += [id_ for id_, task in waiting.items() if await self._is_of(task, former[id_])]
        await self.finish(batch, done)

    async def finish(self, batch: Batch, tasks: Sequence[str]) -> int:
        """Close those of the Tasks that are open: their messages have their place now."""
        return await self._done(batch, tasks, placed_at_last)

    async def dismiss(self, batch: Batch, task: str, by: Agent) -> bool:
        """Close a Task, if it is open: its message will never have a place."""
        return await self._done(batch, [task], lambda body: dismissed(body, by)) == 1

    async def _done(
        self, batch: Batch, tasks: Sequence[str], closed: Callable[[Resource], Resource]
    ) -> int:
        """Close those of the Tasks that are open; how many were."""
        if not tasks:
            return 0
        kept, waiting = await self.waits.those_of(tasks), await self.waiting(tasks)
        for id_, before in waiting.items():
            task = decode(before.body)
            self._questions.leave(quarantined(task).shared)
            batch.write(Key("Task", id_), closed(task), before)
        for id_, value in kept.items():
            self.waits.done(batch, id_, value)
        return len(waiting)

    async def again(self, batch: Batch, before: Stored) -> bool:
        """Let a message wait again, if its Task was closed by somebody."""
        if not is_held(before) or not is_dismissed(task := decode(before.body)):
            return False
        now = held_again(task)
        batch.write(Key("Task", before.id), now, before)
        why, message = quarantined(now), await self.find_by(batch, now)
        if message is not None and why.shared:
            await self._questions.ask(batch, [Held(message, why.reason, why.unknown, why.shared)])
        return True

    async def find_by(
        self, batch: Batch, task: Resource, *, compared: bool = False
    ) -> Message | None:
        """Let a Task be found by what its message waits for; the message, if it holds one.

        It is ``compared`` (``Waits.wait``) where the Task itself is not written.
        """
        message = await self.message_of(task)
        if message is not None:
            why = quarantined(task)
            held = Held(message, why.reason, why.unknown, why.shared)
            await self._wait(batch, task["id"], held, compared=compared)
        return message

    async def take_over(self, batch: Batch, tasks: Iterable[str]) -> None:
        """Take over what people have done to Tasks: find those that wait, and no others.

        Those that were closed with an answer are ``answered`` from now on.
        """
        found = await self._current([Key("Task", id_) for id_ in tasks])
        those = {key.id: one for key, one in found.items() if is_held(one)}
        kept = await self.waits.those_of(key.id for key in found)
        for id_, stored in those.items():
            if is_waiting(stored):
                await self.find_by(batch, decode(stored.body), compared=True)
            elif is_answered(stored):
                self.answered[id_] = stored
        for id_, value in kept.items():
            if id_ not in those or not is_waiting(those[id_]):
                self.waits.done(batch, id_, value, compared=True)
                if id_ in those:
                    self._questions.leave(quarantined(decode(those[id_].body)).shared)
        self._any = True

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

    async def _begin(self, batch: Batch, id_: str, those: Sequence[Held | Broken]) -> None:
        held = [one for one in those if isinstance(one, Held)]
        whole = _as_one(held) if held else None
        what = holding(whole or those[0])
        batch.write(Key("Task", id_), what.task)
        if whole is not None:
            await self._wait(batch, id_, whole, new=True)
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
        self._questions.leave(quarantined(task).shared)
        batch.write(Key("Task", before.id), written, before)
        await self._wait(batch, before.id, now)
        binary = as_key(quarantined(task).content)
        body = {**what.binary, "securityContext": reference(f"Task/{before.id}")}
        stands = (await self._current([binary])).get(binary)
        batch.write(binary, body, stands, content=what.content)

    async def _wait(
        self, batch: Batch, id_: str, held: Held, *, new: bool = False, compared: bool = False
    ) -> None:
        """Let a Task be found by what its message waits for."""
        message, locked = held.message, held.reason == "locked-session"
        circle = self._circle_of(message) if locked else ""
        what = awaited_by(held.reason, held.unknown, held.shared, message, circle)
        day = message if held.reason == "future-date" else None
        before = None if new else (await self.waits.those_of([id_])).get(id_)
        self.waits.wait(batch, id_, what, day, before, compared=compared)
        self._any = True


def _as_one(those: Sequence[Held]) -> Held:
    """One of several copies that wait for the same thing, with all that they say."""
    if len(those) == 1:
        return those[0]
    messages = [one.message for one in those]
    unknown = tuple(dict.fromkeys(address for one in those for address in one.unknown))
    shared = tuple(dict.fromkeys(address for one in those for address in one.shared))
    message = together(messages, reduce(joined, map(said, messages)))
    return Held(message, those[-1].reason, unknown, shared, those[-1].twin)


def _why(held: Held) -> tuple[str, tuple[Address, ...], tuple[Address, ...]]:
    def bare(addresses: Iterable[Address]) -> tuple[Address, ...]:
        return tuple(one._replace(display="") for one in addresses)

    return held.reason, bare(held.unknown), bare(held.shared)

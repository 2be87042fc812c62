"""What is asked at the same time shares a statement.

A statement of its own costs a question more than its answer: with 32 who ask at once, sharing is
several times as fast, and one who asks alone waits no longer for it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

#: Statements of a kind under way: while one is with the database, another is taken apart here.
_LANES = 2

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Sharing(Generic[Question, Answer]):
    """Gathers questions until the database is free for those of their kind.

    ``kind`` tells which questions may share a statement. ``answer`` has up to ``most`` of them,
    and tells the answer to each, in their order; what it raises, all of them are told.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]],
        *,
        kind: Callable[[Question], Hashable],
        most: int,
    ) -> None:
        self._name, self._answer, self._kind, self._most = name, answer, kind, most
        self._waiting: defaultdict[Hashable, deque[tuple[Question, asyncio.Future[Answer]]]]
        self._waiting = defaultdict(deque)
        #: Statements. What ends counts no more from that very moment on: what comes later would
        #: wait for it in vain.
        self._under_way: defaultdict[Hashable, int] = defaultdict(int)
        self._lanes: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Answer:
        """Its answer."""
        kind = self._kind(question)
        if kind not in self._under_way:
            self._under_way[kind] += 1
            try:
                # Whoever else asks in this turn of the loop shares the statement.
                await asyncio.sleep(0)
                if not self._waiting.get(kind):
                    return (await self._answer((question,)))[0]
            finally:
                self._end(kind)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[kind].append((question, future))
        self._begin(kind)
        return await future

    async def close(self) -> None:
        """Finish what waits."""
        while self._lanes:
            await asyncio.wait(self._lanes)

    def _begin(self, kind: Hashable) -> None:
        """See to it that what waits has its turn."""
        if self._under_way[kind] < _LANES:
            self._under_way[kind] += 1
            lane = asyncio.create_task(self._run(kind), name=self._name)
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)

    def _end(self, kind: Hashable) -> None:
        """A statement of the kind has ended, and its task does no more."""
        self._under_way[kind] -= 1
        if self._waiting.get(kind):
            self._begin(kind)
        elif not self._under_way[kind]:
            # A kind that nobody asks for takes no room.
            del self._under_way[kind]
            self._waiting.pop(kind, None)

    async def _run(self, kind: Hashable) -> None:
        waiting = self._waiting[kind]
        try:
            while waiting:
                await self._tell([waiting.popleft() for _ in range(min(len(waiting), self._most))])
        finally:
            self._end(kind)

    async def _tell(self, batch: Sequence[tuple[Question, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._answer([question for question, _ in batch])
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)

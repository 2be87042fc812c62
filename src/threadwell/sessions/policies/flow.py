"""Sessions that begin and end in the flow of messages, and not by a day or a thread."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from threadwell.sessions.acting import ARRIVED, FINISHED, OPEN, Stages, in_order, order
from threadwell.sessions.session import Act, Kind, PolicyOptions, Sent, Session


@dataclass(frozen=True, slots=True)
class Flow:
    """A policy by which a silence longer than ``options.gap`` ends a session.

    ``every`` tells that every message outside a session begins one; otherwise those do that
    ``open``, and those that ``close`` end one. A session is named by what has begun it.
    """

    every: bool

    def __call__(self, messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
        """The sessions where nobody has acted."""
        gap, every = options.gap_us, self.every
        sessions: list[Session] = []
        run: list[Sent] = []

        def close(at: int) -> None:
            sessions.append(Session(run[0].id, tuple(run), at))
            run.clear()

        for message in messages:
            if run and message.at - run[-1].at > gap:
                close(run[-1].at + gap)
            if run or every or message.opens:
                run.append(message)
            if run and message.closes and not every:
                close(message.at)
        if run:
            close(run[-1].at + gap)
        return sessions

    def horizon(self, messages: Sequence[Sent], at: int, options: PolicyOptions) -> int:
        """The end of the last silence before that is longer than the gap."""
        gap = options.gap_us
        for before in range(bisect_left(messages, at, key=_at) - 1, -1, -1):
            earlier = messages[before].at
            if at - earlier > gap:
                break
            at = earlier
        return at

    def with_acts(
        self, messages: Sequence[Sent], acts: Sequence[Act], options: PolicyOptions
    ) -> list[Session]:
        """The same with acts.

        What is written after a session was closed is none of it. Opened again, the last session
        takes in what was left outside since; from then on messages go to the one that was opened
        last.
        """
        flow = _Flow(self.every, options.gap_us)
        entries: list[Sent | Act] = [*messages, *acts]
        for entry in sorted(entries, key=order):
            if isinstance(entry, Sent):
                flow.write(entry)
            elif entry.kind is Kind.OPEN:
                flow.open(entry)
            else:
                flow.act(entry)
        return flow.sessions()


def _at(message: Sent) -> int:
    return message.at


@dataclass(slots=True)
class _Run:
    """A session in the making; ``last`` is when something was last done in it."""

    mark: str
    last: int
    opened: bool = False
    messages: list[Sent] = field(default_factory=list)
    stages: Stages = field(default_factory=Stages)

    def end(self, at: int) -> None:
        if self.stages.is_open:
            self.stages.turn(at, FINISHED)


@dataclass(slots=True)
class _Flow:
    """The runs so far, and the one that messages go to."""

    every: bool
    gap: int
    runs: list[_Run] = field(default_factory=list)
    current: _Run | None = None
    outside: list[Sent] = field(default_factory=list)
    having: dict[str, _Run] = field(default_factory=dict)

    def write(self, message: Sent) -> None:
        """A message is written."""
        run = self._open_at(message.at)
        if run is None and (self.every or message.opens):
            run = self._begin(_Run(message.id, message.at))
        if run is None:
            self.outside.append(message)
            return
        self._take(run, message)
        run.last = message.at
        run.stages.turn(message.at, OPEN)
        if message.closes and not self.every:
            run.end(message.at)

    def open(self, act: Act) -> None:
        """Somebody opens a session; within one that changes nothing."""
        run = self._open_at(act.at)
        if run is None:
            run = self._begin(_Run(act.id, act.at, opened=True))
            run.stages.turn(act.at, ARRIVED)
        run.stages.acts.append(act.id)
        self.having[act.id] = run

    def act(self, act: Act) -> None:
        """Somebody closes a session, or opens it again."""
        run = self.having.get(act.of)
        if run is None:
            return
        run.stages.acts.append(act.id)
        if act.at - run.last > self.gap:
            run.end(run.last + self.gap)
        if act.kind is Kind.CLOSE:
            run.end(act.at)
        elif not run.stages.is_open:
            if run is self.runs[-1]:
                self._take_in(run)
            run.stages.turn(act.at, OPEN if run.messages else ARRIVED)
            run.last = act.at
            self.current = run

    def sessions(self) -> list[Session]:
        """All of them, in the order of their first messages."""
        return in_order(
            Session(
                run.mark,
                tuple(run.messages),
                run.last + self.gap if run.stages.is_open else run.stages.turns[-1].at,
                run.opened,
                run.stages.told(),
                tuple(run.stages.acts),
            )
            for run in self.runs
        )

    def _begin(self, run: _Run) -> _Run:
        self.runs.append(run)
        self.current = run
        self.outside.clear()
        return run

    def _take(self, run: _Run, message: Sent) -> None:
        run.messages.append(message)
        self.having[message.id] = run

    def _take_in(self, run: _Run) -> None:
        """What was written since the session was over."""
        for message in self.outside:
            self._take(run, message)
        self.outside.clear()

    def _open_at(self, at: int) -> _Run | None:
        """The session that a message of that time goes to."""
        run = self.current
        if run is not None and at - run.last > self.gap:
            run.end(run.last + self.gap)
        return run if run is not None and run.stages.is_open else None

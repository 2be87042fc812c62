"""The process that watches over the workers: it forks them, and forks them anew when they die.

It holds every listening socket, so that connections to a worker that died wait for its successor.
It opens no store, runs no loop and has no threads, so that it is safe to fork at any time. Nor has
it loaded what workers need, where the system lets a process that has (``nursery``) hand it its
children; a successor loads that by itself.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from threadwell.server import logs
from threadwell.server.nursery import Nursery, adopts, end_as
from threadwell.server.work import GRACE, Work
from threadwell.stores.failures import StoreError

_log = logging.getLogger(__name__)

#: Seconds until a worker that died is started anew: doubled each time that it dies young.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
#: Seconds after which a worker is no longer young.
_YOUNG = 10.0
#: Seconds that workers have to stop, before they are killed.
_PATIENCE = GRACE + 8


@dataclass(slots=True)
class _Worker:
    number: int
    listener: socket.socket
    process: int = 0
    started: float = 0.0
    pause: float = _FIRST_PAUSE
    due: float = 0.0


def supervise(task: Work, listeners: Sequence[socket.socket], ready: Callable[[str], None]) -> int:
    """Run a worker on each listener until SIGINT or SIGTERM; the exit code.

    ``ready`` is told the sign-in link once all workers answer. Raises ``StoreError`` if the first
    worker cannot open the store.
    """
    return _Supervisor(task, listeners).run(ready)


def _load() -> None:
    """Load what a worker needs; at once where that is done already."""
    from threadwell.server import worker
    from threadwell.server.loading import preload

    assert worker
    preload()


class _Supervisor:
    def __init__(self, task: Work, listeners: Sequence[socket.socket]) -> None:
        self._task = task
        self._workers = [_Worker(number, one) for number, one in enumerate(listeners)]
        self._lifeline, self._hold = os.pipe()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._stop = False

    def run(self, ready: Callable[[str], None]) -> int:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._told_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        try:
            link = self._start_all()
            if not self._stop:
                _log.info("%d workers are ready", len(self._workers))
                ready(link)
            while not self._stop:
                self._sleep(self._until_due())
                self._bury()
                self._start_due()
        finally:
            code = self._stop_all()
        return code

    def _start_all(self) -> str:
        """Start the first worker, then the others: it makes what all of them find in the store."""
        if not adopts(is_on=True):
            _load()
            return self._start_each(self._start)
        said = {worker.number: os.pipe() for worker in self._workers}

        def forked(number: int) -> None:
            # Who dies without a word is noticed by nobody having the end of its pipe.
            for end in said.pop(number):
                os.close(end)

        nursery = Nursery(_load, lambda number: self._be(self._workers[number], said), forked)

        def start(worker: _Worker) -> int:
            heard, says = said.pop(worker.number)
            os.close(says)
            worker.process = nursery.fork(worker.number)
            return heard

        try:
            return self._start_each(start)
        finally:
            nursery.close()
            adopts(is_on=False)

    def _start_each(self, start: Callable[[_Worker], int]) -> str:
        links = [self._first_word(worker, start(worker)) for worker in self._workers[:1]]
        words = [(worker, start(worker)) for worker in self._workers[1:]]
        links += [self._first_word(worker, heard) for worker, heard in words]
        return links[0]

    def _first_word(self, worker: _Worker, heard: int) -> str:
        """The sign-in link of a worker that is ready; raises ``StoreError`` if it says why not."""
        with os.fdopen(heard, encoding="utf-8") as pipe:
            how, _, what = pipe.read().partition(" ")
        if how == "ready":
            return what
        if self._stop:
            return ""
        raise StoreError(what or f"worker {worker.number} died before it was ready")

    def _start(self, worker: _Worker) -> int:
        """Fork the worker; what it says first is read from the pipe that is returned."""
        said = os.pipe()
        worker.process = os.fork()
        if not worker.process:
            end_as(lambda: self._be(worker, {worker.number: said}))
        os.close(said[1])
        return said[0]

    def _be(self, worker: _Worker, pipes: Mapping[int, tuple[int, int]]) -> int:
        """What the forked process does: its exit code. ``pipes`` are those of workers that have
        said nothing yet.
        """
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: os._exit(0))  # nothing is under way yet
        said = pipes[worker.number][1]
        for pipe in {self._hold, self._woken, self._wake, *chain(*pipes.values())} - {said}:
            os.close(pipe)
        for other in self._workers:
            if other is not worker:
                other.listener.close()
        _load()
        return self._work(worker, said)

    def _work(self, worker: _Worker, said: int) -> int:
        import asyncio

        from threadwell.server.loading import fork_beside
        from threadwell.server.loop import loop_factory
        from threadwell.server.worker import work

        logs.configure(worker.number)
        is_first = worker.number == 0
        task = self._task
        ahead = fork_beside(task.store, duties=task.duties) if is_first else None

        def ready(link: str) -> None:
            _log.info("ready")
            _say(said, f"ready {link}")

        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                return runner.run(
                    work(task, worker.number, worker.listener, ready, self._lifeline, ahead)
                )
        except StoreError as error:
            _log.error("cannot start: %s", error)
            _say(said, f"failed {error}")
            return 1

    def _start_due(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if not worker.process and worker.due <= now:
                self._task.board.restarted()
                os.close(self._start(worker))

    def _bury(self) -> None:
        """Take note of workers that died, and of when to start them anew."""
        for worker in self._workers:
            if not worker.process:
                continue
            process, status = os.waitpid(worker.process, os.WNOHANG)
            if not process:
                continue
            now = time.monotonic()
            is_young = now - worker.started < _YOUNG
            worker.pause = min(worker.pause * 2, _LONGEST_PAUSE) if is_young else _FIRST_PAUSE
            worker.process, worker.due = 0, now + worker.pause
            if not self._stop:
                _log.error(
                    "worker %d (process %d) died: %s; another is started in %.1f s",
                    worker.number,
                    process,
                    _how(status),
                    worker.pause,
                )

    def _until_due(self) -> float | None:
        """Seconds to sleep; ``None`` for until something happens."""
        due = [worker.due for worker in self._workers if not worker.process]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _stop_all(self) -> int:
        """Have every worker finish what it does; 0 if all of them did."""
        for worker in self._workers:
            worker.listener.close()
            if worker.process:
                os.kill(worker.process, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        running = [worker.process for worker in self._workers if worker.process]
        codes = [_wait(process, deadline) for process in running]
        signal.set_wakeup_fd(-1)
        return 1 if any(codes) else 0

    def _told_to_stop(self, *_: object) -> None:
        self._stop = True

    def _sleep(self, seconds: float | None) -> None:
        if select.select([self._woken], [], [], seconds)[0]:
            os.read(self._woken, 4096)


def _say(pipe: int, words: str) -> None:
    # Only the first start of a worker is listened to.
    with contextlib.suppress(BrokenPipeError):
        os.write(pipe, words.encode())
    os.close(pipe)


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return f"exit code {os.waitstatus_to_exitcode(status)}"


def _wait(process: int, deadline: float) -> int:
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            _log.error("process %d does not stop: it is killed", process)
            os.kill(process, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(0.02)

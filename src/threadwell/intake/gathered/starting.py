"""The processes of a crew begin: forked from one that has loaded what they need.

That one is a new program, as a process with an event loop, threads and databases must not be
forked. A command that has none of these yet may fork it from itself instead (``ahead``), which
takes no time at all: it waits, and ends with the command where nothing is given to it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

#: What it is called as a module.
_MODULE = "threadwell.intake.hand"
#: No crew has more: so many sockets can be given at once.
MOST = 200
#: The number of the socket through which a forked process is given those of a crew.
_CONTROL = 3


class Leader:
    """A process that forks a crew once it is given its sockets; ``pid`` is that of its group."""

    def __init__(self, pid: int, control: socket.socket, wait: Callable[[], object]) -> None:
        self.pid = pid
        self._control = control
        self._wait = wait

    def give(self, sockets: list[socket.socket]) -> None:
        """Have it begin a process for each of these, which are closed here."""
        with self._control:
            socket.send_fds(self._control, [b"."], [one.fileno() for one in sockets])
        for one in sockets:
            one.close()

    def kill(self) -> None:
        """End all of its processes, whatever they are doing."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Wait for its end."""
        self._control.close()
        self._wait()


_ahead: list[Leader] = []


@contextmanager
def ahead(main: Callable[[int], None]) -> Iterator[None]:
    """Meanwhile a crew begins at once: its processes run ``main`` (that of ``hand.py``).

    This process may be forked as long as it has one thread, no event loop and no store. Where it
    has more, nothing is done.
    """
    if not hasattr(os, "fork") or threading.active_count() > 1:
        yield
        return
    forked = _forked(main)
    _ahead.append(forked)
    try:
        yield
    finally:
        if forked in _ahead:
            _ahead.remove(forked)
            forked.wait()


def leader() -> Leader:
    """A process that will fork a crew: the one that was forked ahead, or a new program."""
    return _ahead.pop() if _ahead else _program()


def be_leader(control: socket.socket, work: Callable[[int], None]) -> None:
    """Be the process that forks a crew, and one of it: ``work`` with the number of a socket.

    It returns when all of them are at their end, or where it is given nothing.
    """
    with control:
        _, given, _, _ = socket.recv_fds(control, 1, MOST)
    if not given:
        return
    mine, *others = given
    forked = []
    for one in others:
        if pid := os.fork():
            forked.append(pid)
            continue
        with _as_forked():
            # Whoever kept another's would have it look alive after its end.
            for another in given:
                if another != one:
                    os.close(another)
            work(one)
    for one in others:
        os.close(one)
    try:
        work(mine)
    finally:
        for pid in forked:
            _wait_for(pid)


def _wait_for(pid: int) -> None:
    """Wait for the end of a child; where the system is told to bury them (SIGCHLD), it has."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _program() -> Leader:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - it is this very program
            # Nothing is to be loaded from where the command happens to be run.
            [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            # Ctrl-C is for the import, also while a process loads what it needs.
            process_group=0,
            env={**os.environ, "PYTHONPATH": _path()},
        )
    return Leader(process.pid, ours, process.wait)


def _forked(main: Callable[[int], None]) -> Leader:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        with contextlib.suppress(PermissionError):  # it was quicker
            os.setpgid(pid, pid)
        return Leader(pid, ours, lambda: _wait_for(pid))
    with _as_forked():
        os.setpgid(0, 0)
        _let_go(theirs)
        main(_CONTROL)
    raise AssertionError("a forked process is at its end")


@contextmanager
def _as_forked() -> Iterator[None]:
    """What a forked process does; then it ends, and nothing of whoever was forked is done twice."""
    code = 1
    try:
        yield
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - a forked process must end here, whatever happens
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _let_go(control: socket.socket) -> None:
    """Keep nothing of the command but where it writes errors."""
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.dup2(control.detach(), _CONTROL)
    os.closerange(_CONTROL + 1, os.sysconf("SC_OPEN_MAX"))


def _path() -> str:
    """Where a process finds this build, and all that this one would."""
    mine = str(Path(__file__).parents[3])
    return os.pathsep.join([mine, *(one for one in sys.path if one and one != mine)])

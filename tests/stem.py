"""Processes of Threadwell that are forked from one that has loaded it, and not started anew.

To load Threadwell takes a process most of a second. What a test starts only to have somebody else
at a store, or a server to ask, is a process all the same: with a pid, files, signals and an end of
its own. How a command starts is what ``tests/e2e/test_cli.py`` and a page of the documentation are
about; they start everything as people do.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_NUMBER = struct.Struct("i")
_MOST = 1 << 18
#: Of ``subprocess.Popen``, what a fork of the stem knows, too.
_KNOWN = {"stdin", "stdout", "stderr", "env", "cwd", "text", "start_new_session"}


def start(command: list[str], **options: Any) -> subprocess.Popen[Any]:
    """What ``subprocess.Popen`` starts: ``[sys.executable, "-m", "threadwell", …]``, or a program.

    A program is a script, or text after ``-c``, for whom all of Threadwell is imported already.

    Whatever is no such command is started by ``subprocess`` itself.
    """
    ours = command[0] == sys.executable and (
        command[1:3] == ["-m", "threadwell"] or command[1] == "-c" or command[1].endswith(".py")
    )
    if not ours or not options.keys() <= _KNOWN or not hasattr(socket, "SOCK_SEQPACKET"):
        return subprocess.Popen(command, **options)
    return _Forked(command, **options)


def run(command: list[str]) -> str:
    """What a command prints. Raises ``CalledProcessError`` where it fails."""
    done = ran(command)
    done.check_returncode()
    return done.stdout


def ran(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """A command that has ended, with what it printed."""
    pipe = subprocess.PIPE
    with start(command, stdout=pipe, stderr=pipe, text=True, **options) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def on_the_path(folder: Path) -> str:
    """A ``PATH`` for shell scripts by which ``threadwell`` is forked, by a program in a folder."""
    beside = str(Path(sys.executable).parent)
    found = [beside, os.environ["PATH"]]
    if hasattr(socket, "SOCK_SEQPACKET"):
        program = folder / "threadwell"
        program.write_text(_PROGRAM.format(python=sys.executable, door=_stem().door), "utf-8")
        program.chmod(0o755)
        found.insert(0, str(folder))
    return os.pathsep.join(found)


#: Asks for a fork, and is to whoever waits for it or signals to it what the fork is.
_PROGRAM = """#!{python} -IS
import json, os, signal, socket, struct, sys
passed_on = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]
signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
heard, told = os.pipe()
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
    asked.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
    asked.connect({door!r})
    how = [["-m", "threadwell", *sys.argv[1:]], os.getcwd(), dict(os.environ), False]
    socket.send_fds(asked, [json.dumps(how).encode()], [0, 1, 2, told])
    os.close(told)
    (pid,) = struct.unpack("i", asked.recv(4))
for number in passed_on:
    signal.signal(number, lambda number, _: os.kill(pid, number))
signal.pthread_sigmask(signal.SIG_UNBLOCK, passed_on)
code = os.waitstatus_to_exitcode(*struct.unpack("i", os.read(heard, 4)))
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


class _Forked(subprocess.Popen):
    """A process that the stem has forked: its status comes by a pipe, as it is no child of ours."""

    _heard = -1

    def _execute_child(
        self,
        args: list[str],
        executable: Any,
        preexec_fn: Any,
        close_fds: Any,
        pass_fds: Any,
        cwd: Any,
        env: Any,
        startupinfo: Any,
        creationflags: Any,
        shell: Any,
        *rest: Any,
    ) -> None:
        read_in, _, _, write_out, _, write_err = rest[:6]
        self._heard, told = os.pipe()
        files = [
            read_in if read_in != -1 else 0,
            write_out if write_out != -1 else 1,
            write_err if write_err != -1 else 2,
            told,
        ]
        try:
            where = str(cwd or Path.cwd())
            self.pid = _stem().fork(files, args[1:], where, dict(env or os.environ), rest[11])
        finally:
            os.close(told)
        self._child_created = True
        self._close_pipe_fds(*rest[:6])

    def _ended(self, timeout: float | None) -> bool:
        return bool(select.select([self._heard], [], [], timeout)[0])

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        # It is told once, and one thread may wait while another one kills.
        with self._waitpid_lock:
            if self.returncode is None and self._heard != -1 and self._ended(0):
                heard = os.read(self._heard, _NUMBER.size)
                assert heard, "what forks processes is gone"
                self.returncode = os.waitstatus_to_exitcode(*_NUMBER.unpack(heard))
        return self.returncode

    def _wait(self, timeout: float | None) -> int | None:
        if self.returncode is None and not self._ended(timeout):
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self._internal_poll()

    def __del__(self, *_: Any, **__: Any) -> None:
        super().__del__()
        if self._heard != -1:
            os.close(self._heard)


class _Stem:
    """The process that forks others, and tells when they end."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for one in (self._socket, theirs):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST)
        #: Where programs ask that are not started from here.
        self.door = f"\0threadwell-stem-{os.getpid()}-{os.urandom(8).hex()}"
        door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, door:
            door.bind(self.door)
            door.listen()
            files = [theirs.fileno(), door.fileno()]
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).resolve()), *map(str, files)],
                pass_fds=files,
                stdin=subprocess.DEVNULL,
            )
        atexit.register(self.close)

    def fork(self, files: list[int], *how: Any) -> int:
        """The pid of a new process; ``files`` are its standard ones, and where its end is told."""
        socket.send_fds(self._socket, [json.dumps(how).encode()], files)
        (pid,) = _NUMBER.unpack(self._socket.recv(_NUMBER.size))
        return int(pid)

    def close(self) -> None:
        self._socket.close()
        self._process.wait()


def _stem() -> _Stem:
    if not _STEMS:
        _STEMS.append(_Stem())
    return _STEMS[0]


_STEMS: list[_Stem] = []


def _serve(asked: socket.socket, door: socket.socket) -> list[str] | None:
    """Fork whatever is asked for: in the fork its arguments, here ``None`` once nobody asks.

    Who comes by the door asks once.
    """
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    told: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([asked, door, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _bury(told)
            continue
        asking = asked if asked in ready else door.accept()[0]
        said, files, _, _ = socket.recv_fds(asking, _MOST, 4)
        if not said and asking is asked:
            return None
        if not said:
            asking.close()
            continue
        process = os.fork()
        if not process:
            signal.set_wakeup_fd(-1)
            return _become(files, *json.loads(said))
        told[process] = files.pop()
        for one in files:
            os.close(one)
        with contextlib.suppress(BrokenPipeError):
            asking.send(_NUMBER.pack(process))
        if asking is not asked:
            asking.close()


def _bury(told: dict[int, int]) -> None:
    while told:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        end = told.pop(process)
        with contextlib.suppress(BrokenPipeError):  # nobody asks any more
            os.write(end, _NUMBER.pack(status))
        os.close(end)


def _become(
    files: list[int], arguments: list[str], cwd: str, env: dict[str, str], is_session: bool
) -> list[str]:
    if is_session:
        os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    at_once = bool(env.get("PYTHONUNBUFFERED"))
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - open to the end, as the others
    out = open(1, "w", closefd=False)  # noqa: SIM115
    out.reconfigure(write_through=at_once)
    sys.stdout = out
    sys.stderr = open(2, "w", closefd=False, errors="backslashreplace", buffering=1)  # noqa: SIM115
    return arguments


def _load() -> Callable[[Sequence[str] | None], int]:
    """Load what processes of Threadwell load sooner or later; the command."""
    from threadwell import facade, intake
    from threadwell.cli import commands, main
    from threadwell.facade import request
    from threadwell.server import worker
    from threadwell.server.loading import preload
    from threadwell.stores import postgres

    assert facade.Threadwell
    assert commands()
    assert request, worker
    assert all(getattr(intake, name) for name in intake.__all__)
    assert postgres
    preload()
    return main


def _main() -> None:
    import gc
    import runpy

    asked, door = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    command = _load()
    # Else whoever is forked would copy all of it at its end, to see what is garbage.
    gc.freeze()
    arguments = _serve(asked, door)
    if arguments is None:
        return
    if arguments[0] == "-c":
        sys.argv, sys.path[0] = ["-c", *arguments[2:]], str(Path.cwd())
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})
        return
    if arguments[0] == "-m":
        sys.argv, sys.path[0] = arguments[1:], str(Path.cwd())
        sys.exit(command(None))
    sys.argv, sys.path[0] = arguments, str(Path(arguments[0]).parent)
    runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    _main()

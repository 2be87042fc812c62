"""Makes the writes of a process its steps: commits, bytes of files, syncs, bytes over sockets."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any

import apsw

from bench.faults.dying import Steps
from threadwell.stores.contract import ChangeSet, Store

#: What wakes a loop of its own process up.
_WAKING = b"\0"


def watch(steps: Steps) -> None:
    """From here on, what this process writes is a step."""
    _watch_files(steps)
    _watch_sockets(steps)


def watched_store(store: Store, steps: Steps) -> Store:
    """The store, of which a commit is a step, and has the steps that its writes are."""
    out: Store = Watched(store, steps, {"commit": _named, "put_private": lambda *_: "private"})
    return out


def watched_calls(real: object, steps: Steps, *names: str) -> Any:
    """What calls another server by those methods."""
    return Watched(real, steps, dict.fromkeys(names, None))


class Watched:
    """Something of which some calls are steps; ``names`` say what each is called."""

    def __init__(
        self, real: object, steps: Steps, names: dict[str, Callable[..., str] | None]
    ) -> None:
        self._real, self._steps, self._names = real, steps, names

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name not in self._names:
            return real
        named = self._names[name]

        async def call(*given: Any, **more: Any) -> object:
            with self._steps.doing(named(*given) if named else name):
                awaited: Awaitable[object] = real(*given, **more)
                return await awaited

        return call


def _named(_project: str, change_set: ChangeSet) -> str:
    kinds = {one.type for one in change_set.writes} | {one.kind for one in change_set.kept}
    return f"commit {', '.join(sorted(kinds))}"


def _watch_files(steps: Steps) -> None:
    base = apsw.vfs_names()[0]

    class File(apsw.VFSFile):  # type: ignore[misc]
        def __init__(self, name: Any, flags: list[int]) -> None:
            shown = str(name.filename() if hasattr(name, "filename") else name or "")
            self._name = shown.rpartition(".")[2] or "a temporary file"
            super().__init__(base, name, flags)

        def xWrite(self, data: bytes, offset: int) -> None:
            steps.step(f"write {self._name}")
            super().xWrite(data, offset)

        def xSync(self, flags: int) -> None:
            steps.step(f"sync {self._name}")
            super().xSync(flags)

        def xTruncate(self, size: int) -> None:
            steps.step(f"truncate {self._name}")
            super().xTruncate(size)

    class Files(apsw.VFS):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__("steps", base, makedefault=True)

        def xOpen(self, name: Any, flags: list[int]) -> File:
            return File(name, flags)

        def xDelete(self, name: str, sync: bool) -> None:
            steps.step(f"delete {name.rpartition('.')[2]}")
            super().xDelete(name, sync)

    # SQLite knows it by its name as long as it lives.
    global _files
    _files = Files()


_files: object = None


def _watch_sockets(steps: Steps) -> None:
    for name in ("send", "sendall"):
        _watch_method(steps, name)


def _watch_method(steps: Steps, name: str) -> None:
    real = getattr(socket.socket, name)

    def send(self: socket.socket, data: Any, *more: Any) -> Any:
        if self.family != socket.AF_UNIX:
            steps.step("send over a connection")
        elif steps.within and data != _WAKING:
            # What only reads changes nothing that anybody could see.
            steps.step("send to the database")
        return real(self, data, *more)

    setattr(socket.socket, name, send)

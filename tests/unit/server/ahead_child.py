"""A process with another beside it, which was forked ahead and tells what it has in files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from threadwell.server.ahead import fork_ahead
from threadwell.server.beside import Beside, attend, stopping, told

FOLDER = Path(os.environ["AHEAD_FOLDER"])


async def _until_told(tell: Callable[[], object]) -> None:
    ends = stopping(lifeline=True)
    # Whoever hears of it may end it at once: by now that is noticed.
    tell()
    await ends.wait()


def main() -> int:
    """What the process beside runs: it says how it was started, what it was told and has open."""
    line = told()
    if not line:
        (FOLDER / "told nothing").touch()
        return 0
    how = "forked" if __name__ == "__main__" else "executed"
    files = [one for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    sockets = sum(str(one.readlink()).startswith("socket") for one in files)
    # Written, and later named: whoever waits for it finds it whole.
    (FOLDER / "part").write_text(f"{os.getpid()} {line} {sockets}")
    asyncio.run(_until_told(lambda: (FOLDER / "part").rename(FOLDER / how)))
    (FOLDER / f"{how} stopped").touch()
    return 0


async def _appears(name: str) -> str:
    while not (FOLDER / name).exists():
        await asyncio.sleep(0.02)
    return (FOLDER / name).read_text()


async def _attend() -> None:
    attending = asyncio.create_task(attend(Beside("test", "ahead_child", "a line", ahead)))
    await asyncio.sleep(0)
    process, *rest = (await _appears("forked")).split()
    print(*rest)
    os.kill(int(process), signal.SIGKILL)
    _, *rest = (await _appears("executed")).split()
    print(*rest)
    attending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await attending
    print((FOLDER / "executed stopped").exists())


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    ahead = fork_ahead(main)
    assert ahead
    with listener:
        if sys.argv[1] == "attend":
            asyncio.run(_attend())
        ahead.let_go()
    print((FOLDER / "told nothing").exists())

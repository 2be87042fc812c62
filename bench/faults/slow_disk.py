"""A disk that takes long to write: reads stay fast, creates share commits, too many are refused.

Every fsync and fdatasync of the server takes 200 ms longer than it does. It takes Linux and a C
compiler, as a library of a few lines stands between SQLite and the system.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.faults.server import Options, Server, serving
from bench.faults.traffic import Seen, check, only_reads, writes_and_reads

_SECONDS = 0.2
#: Connections that write, and as many that read.
_CONNECTIONS = 32
_LIMIT = 50

_LATE = f"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static int late(const char *name, int fd) {{
    struct timespec wait = {{0, {int(_SECONDS * 1e9)}}};
    nanosleep(&wait, 0);
    return ((int (*)(int)) dlsym(RTLD_NEXT, name))(fd);
}}

int fsync(int fd) {{ return late("fsync", fd); }}
int fdatasync(int fd) {{ return late("fdatasync", fd); }}
"""


def run(options: Options) -> None:
    """The same load on the disk as it is and on a slow one; then far too many writers."""
    if options.store:
        print("skipped: this is about a file")
        return
    with tempfile.TemporaryDirectory() as folder:
        library = _compiled(Path(folder))
        if library is None:
            print("skipped: it takes Linux and a C compiler")
            return
        part = Options(options.seconds / 3, options.workers)
        with serving(part) as server:
            _mixed("as it is", server, part.seconds)
        with serving(part, LD_PRELOAD=str(library)) as server:
            _mixed(f"{_SECONDS * 1000:.0f} ms late", server, part.seconds)
        with serving(part, "--max-in-flight", str(_LIMIT), LD_PRELOAD=str(library)) as server:
            _overload(server, part)


def _mixed(name: str, server: Server, seconds: float) -> None:
    written, read = Seen(), Seen()
    asyncio.run(writes_and_reads(server, written, connections=_CONNECTIONS, seconds=0.1, reads=0))

    async def both() -> None:
        writes = writes_and_reads(
            server, written, connections=_CONNECTIONS, seconds=seconds, reads=0
        )
        ids = written.acknowledged
        reads = only_reads(server, read, ids, connections=_CONNECTIONS, seconds=seconds)
        await asyncio.gather(writes, reads)

    asyncio.run(both())
    for what, seen in (("creates", written), ("reads", read)):
        print(
            f"{name}: {what} {seen.told}; {seen.statuses.total() / seconds:,.0f}/s,"
            f" p50 {seen.late(0.5):.1f} ms, p99 {seen.late(0.99):.1f} ms, {seen.lost} lost"
        )
    metrics = server.metrics()
    commits = metrics["threadwell_commit_duration_seconds_count"]
    print(
        f"{name}: {commits:,.0f} commits of"
        f" {metrics['threadwell_commit_duration_seconds_sum'] / commits * 1000:.0f} ms and"
        f" {metrics['threadwell_commit_change_sets_sum'] / commits:.1f} change sets on average;"
        f" missing: {check(server, written.acknowledged)} of {len(written.acknowledged):,}"
    )


def _overload(server: Server, options: Options) -> None:
    seen = Seen()
    load = writes_and_reads(server, seen, connections=_LIMIT * 10, seconds=options.seconds, reads=0)
    asyncio.run(load)
    print(
        f"{_LIMIT * 10} writers for {options.workers} × {_LIMIT}: {seen.told}, of these"
        f" {seen.unhinted} without Retry-After; {seen.lost} lost, p99 {seen.late(0.99):.0f} ms;"
        f" missing: {check(server, seen.acknowledged)} of {len(seen.acknowledged):,}"
    )


def _compiled(folder: Path) -> Path | None:
    compiler = shutil.which("cc")
    library = folder / "late.so"
    if compiler is None:
        return None
    source = folder / "late.c"
    source.write_text(_LATE)
    command = [compiler, "-shared", "-fPIC", "-O", "-o", str(library), str(source), "-ldl"]
    made = subprocess.run(command, capture_output=True, check=False).returncode == 0
    return library if made and Path("/proc/self").exists() else None

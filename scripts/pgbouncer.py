"""A PgBouncer of our own before a test's PostgreSQL: found or brought, started, stopped."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import postgres
import toolbox

#: What the store sets on each of its connections, and a pooler's have to be set to otherwise.
SETTINGS = (
    "search_path = threadwell",
    "jit = off",
    "plan_cache_mode = force_generic_plan",
    "enable_seqscan = off",
    "enable_bitmapscan = off",
    "enable_sort = off",
    "enable_hashagg = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
)
_PORT = 6432
_INI = """
[databases]
* = host={host} user=threadwell
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = 4
server_idle_timeout = 5
max_client_conn = 200
"""


def find() -> str | None:
    """The program, ``None`` where there is none."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


def install() -> bool:
    """PgBouncer from Debian's packages, where this is root on Debian."""
    return toolbox.apt_install("pgbouncer")


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer; ``folder`` holds its socket."""

    process: subprocess.Popen[bytes]
    folder: Path

    def url(self, database: str) -> str:
        """The URL of a database through it."""
        host = quote(str(self.folder), safe="")
        return f"postgresql://threadwell@/{database}?host={host}&port={_PORT}"

    def remove(self) -> None:
        """Stop it and remove its files."""
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


def start(program: str, server: postgres.Server) -> Pooler:
    """A new one before that server, which hands a connection on after each transaction."""
    folder = Path(tempfile.mkdtemp(prefix="threadwell-pgb-"))
    user = postgres.give_away(folder)
    ini = folder / "pgbouncer.ini"
    ini.write_text(_INI.format(host=server.folder, port=_PORT, folder=folder))
    ini.chmod(0o644)
    process = subprocess.Popen(
        [program, "-q", str(ini)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        user=user,
        extra_groups=[] if user else None,
    )
    pooler = Pooler(process, folder)
    socket = folder / f".s.PGSQL.{_PORT}"
    deadline = time.monotonic() + 20
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            pooler.remove()
            raise RuntimeError("PgBouncer did not start")
        time.sleep(0.05)
    return pooler

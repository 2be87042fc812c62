"""A Postfix of our own for tests of the mail listener: found or brought, started, stopped.

It hands mails over as its ``transports`` say, and keeps its queue in a folder of its own. Postfix
starts as root alone, so where we are not root there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import toolbox
from loopback import free_port, greets

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example.org
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
transport_maps = inline:{{{transports}}}
smtputf8_enable = yes
recipient_delimiter = +
smtp_dns_support_level = disabled
bounce_size_limit = 1
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
flush unix n - n 1000? 0 flush
postlog unix-dgram n - n - 1 postlogd
"""


def find() -> str | None:
    """The program, ``None`` where there is none that we could start."""
    path = shutil.which("postfix") or shutil.which("postfix", path="/usr/sbin")
    return path if path and os.geteuid() == 0 else None


def install() -> bool:
    """Postfix from Debian's packages, where this is root on Debian."""
    return toolbox.apt_install("postfix")


@dataclass
class Server:
    """A running Postfix that takes mails over SMTP at ``port``."""

    program: str
    folder: Path
    port: int

    def retry(self) -> None:
        """Try again now what waits in its queue."""
        self._run("flush")

    def log(self) -> str:
        """What it has said so far."""
        with suppress(OSError):
            return (self.folder / "log").read_text("utf-8", "replace")
        return ""

    def remove(self) -> None:
        """Stop it and remove its files."""
        self._run("abort")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, what: str) -> str:
        command = [self.program, "-c", str(self.folder), what]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")
        return done.stdout + done.stderr


def start(program: str, transports: Mapping[str, str]) -> Server:
    """A new one; ``transports`` say for addresses and domains where mails go, in Postfix' words."""
    folder = Path(tempfile.mkdtemp(prefix="threadwell-postfix-"))
    folder.chmod(0o755)
    server = Server(program, folder, free_port())
    told = ", ".join(f"{{ {to} = {where} }}" for to, where in transports.items())
    (folder / "main.cf").write_text(_MAIN.format(folder=folder, transports=told))
    (folder / "master.cf").write_text(_MASTER.format(port=server.port))
    (folder / "queue").mkdir()
    (folder / "data").mkdir()
    shutil.chown(folder / "data", "postfix")
    said = server._run("start")
    deadline = time.monotonic() + 20
    while not greets(server.port, b"220"):
        if time.monotonic() > deadline:
            said += server.log()[-500:]
            server.remove()
            raise RuntimeError(f"Postfix did not start: {said}")
        time.sleep(0.02)
    return server

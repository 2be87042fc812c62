"""A Dovecot of our own for tests of mailboxes: found or brought, started, stopped.

It runs as nobody in particular, as PostgreSQL does, and takes any user with one password.
"""

from __future__ import annotations

import getpass
import grp
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import postgres
import toolbox
from loopback import free_port, greets

PASSWORD = "of-the-mailbox"
_CONF = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = {ssl}
disable_plaintext_auth = no
auth_mechanisms = plain
# Tests give wrong passwords, and wait for nothing.
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 0
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""


def find() -> str | None:
    """The program, ``None`` where there is none that speaks IMAP."""
    path = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
    return path if path and Path("/usr/lib/dovecot/imap").exists() else None


def install() -> bool:
    """Dovecot from Debian's packages, where this is root on Debian."""
    return toolbox.apt_install("dovecot-imapd")


@dataclass
class Server:
    """A running Dovecot: without TLS at ``port``, with it at ``tls_port``."""

    program: str
    folder: Path
    user: str | None
    port: int
    tls_port: int
    certificate: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again after ``stop``."""
        self.process = subprocess.Popen(
            [self.program, "-F", "-c", str(self.folder / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            user=self.user,
            group=pwd.getpwnam(self.user).pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
        )
        deadline = time.monotonic() + 20
        while not greets(self.port, b"* OK"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = self.folder / "log"
                said = log.read_text("utf-8", "replace") if log.exists() else ""
                self.remove()
                raise RuntimeError(f"Dovecot did not start: {said[-500:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, and every connection to it."""
        if self.process is not None:
            # Without its master a process goes on with its client for half a minute.
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)
            self.process = None

    def remove(self) -> None:
        """Stop it and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def start(program: str) -> Server:
    """A new one, with nobody's mails."""
    folder = Path(tempfile.mkdtemp(prefix="threadwell-dovecot-"))
    user = postgres.give_away(folder)
    owner = pwd.getpwnam(user or getpass.getuser())
    certificate = folder / "cert.pem"
    server = Server(program, folder, user, free_port(), free_port(), certificate)
    has_tls = _certify(folder)
    conf = folder / "dovecot.conf"
    text = _CONF.format(
        folder=folder,
        port=server.port,
        tls_port=server.tls_port if has_tls else 0,
        ssl="yes" if has_tls else "no",
        user=owner.pw_name,
        group=grp.getgrgid(owner.pw_gid).gr_name,
        uid=owner.pw_uid,
        gid=owner.pw_gid,
        password=PASSWORD,
    )
    if has_tls:
        text += f"ssl_cert = <{certificate}\nssl_key = <{folder / 'key.pem'}\n"
        os.chown(folder / "key.pem", owner.pw_uid, owner.pw_gid)
    conf.write_text(text)
    conf.chmod(0o644)
    server.start()
    return server


def _certify(folder: Path) -> bool:
    """A certificate for ``localhost`` that it has signed itself; false without ``openssl``."""
    program = shutil.which("openssl")
    if program is None:
        return False
    made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]
    named = ["-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    done = subprocess.run([program, "req", *made, *named, *files], check=False, capture_output=True)
    (folder / "cert.pem").chmod(0o644)
    return done.returncode == 0

"""The PostgreSQL that tests start is gone with whoever started it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import postgres

STARTS = """
import sys, time
sys.path.insert(0, sys.argv[1])
import postgres
server = postgres.start_server(postgres.find_binaries())
print(server.folder, flush=True)
time.sleep(60)
"""


def test_it_ends_with_a_process_that_is_killed(postgres_binaries: Path) -> None:
    scripts = str(Path(postgres.__file__).parent)
    command = [sys.executable, "-c", STARTS, scripts]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        pid = int((folder / "pg" / "postmaster.pid").read_text().split()[0])
        process.kill()
    deadline = time.monotonic() + 60
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()
    # One that nobody has buried yet has no command line.
    commands = Path(f"/proc/{pid}/cmdline")
    assert not commands.exists() or not commands.read_bytes()

"""Processes of a crew: each is seen to end when it does, whoever else goes on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, socket, sys
from threadwell.intake.gathered.starting import ahead, be_leader, leader

def work(fileno):
    with socket.socket(fileno=fileno) as sock:
        sock.sendall(b"%d\\n" % os.getpid())
        sock.recv(1)

def main(control):
    be_leader(socket.socket(fileno=control), work)

if sys.argv[1] == "buried":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
with ahead(main):
    pairs = [socket.socketpair() for _ in range(4)]
    led = leader()
    led.give([theirs for _, theirs in pairs])
    files = [ours.makefile("rb") for ours, _ in pairs]
    pids = [int(file.readline()) for file in files]
    assert len(set(pids)) == 4 and pids[0] == led.pid
    if sys.argv[1] == "killed":
        for ours, _ in pairs:
            ours.settimeout(60)
        for at in (1, 3, 2):
            os.kill(pids[at], signal.SIGKILL)
            # Whoever reads hears of it at once, while the others are there.
            assert files[at].read() == b""
        os.kill(pids[0], 0)
    for (ours, _), file in zip(pairs, files):
        file.close()
        ours.close()
    led.wait()
print("over")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")
@pytest.mark.parametrize("how", ["killed", "at an end", "buried"])
def test_the_end_of_one_is_heard_while_the_others_work(how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "over\n", "")

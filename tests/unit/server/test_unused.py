"""What was freed goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_FREED = """
import ctypes
from threadwell.server.unused import give_back

def resident():
    with open("/proc/self/status") as told:
        return next(int(line.split()[1]) for line in told if line.startswith("VmRSS"))

# Small pieces with one kept behind them: what the C library does not give back by itself.
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
pieces = [libc.malloc(4000) for _ in range(10_000)]
for piece in pieces:
    ctypes.memset(piece, 1, 4000)
kept = libc.malloc(4000)
for piece in pieces:
    libc.free(piece)
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="there is no glibc")
def test_what_was_freed_is_given_back() -> None:
    run = subprocess.run([sys.executable, "-c", _FREED], check=True, capture_output=True, text=True)
    assert int(run.stdout) > 20_000

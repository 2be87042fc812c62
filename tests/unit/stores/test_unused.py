"""What was freed goes back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from threadwell.stores.unused import Rest

_FREED = """
import ctypes
from threadwell.stores.unused import give_back

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


#: Large pieces between small ones that are kept: what glibc, once it has seen some, takes from its
#: heap.
_LARGE = """
import ctypes
from threadwell.stores.unused import keep_little

keep_little()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]

def resident():
    with open("/proc/self/status") as told:
        return next(int(line.split()[1]) for line in told if line.startswith("VmRSS"))

before = resident()
for _ in range(3):
    pieces = []
    for _ in range(40):
        pieces.append(libc.malloc(1_000_000))
        ctypes.memset(pieces[-1], 1, 1_000_000)
        libc.malloc(100)
    for piece in pieces:
        libc.free(piece)
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="there is no glibc")
def test_what_was_freed_is_given_back() -> None:
    run = subprocess.run([sys.executable, "-c", _FREED], check=True, capture_output=True, text=True)
    assert int(run.stdout) > 20_000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="there is no glibc")
def test_large_pieces_leave_no_holes() -> None:
    run = subprocess.run([sys.executable, "-c", _LARGE], check=True, capture_output=True, text=True)
    assert int(run.stdout) < 10_000


def test_it_rests_when_nothing_is_under_way_and_something_was() -> None:
    times: list[int] = []
    rest = Rest(lambda: times.append(1), every=3)
    # Requests under way, and answered since the process began, second by second.
    seconds = [
        (0, 0),
        (0, 0),
        (0, 0),
        (2, 5),
        (0, 6),
        (0, 6),
        (0, 6),
        (0, 6),
        (0, 9),
        (1, 9),
        (0, 9),
    ]
    given = [rest.look(*second) for second in seconds]
    assert [at for at, did in enumerate(given) if did] == [4, 8]
    assert len(times) == 2

"""How costly a password is made to try: settings of the machine that serves."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

#: ``m=19456,t=2,p=1``: KiB of memory, passes, lanes.
HASHING_VARIABLE = "THREADWELL_PASSWORD_HASHING"
#: Addresses and networks of the proxies whose ``X-Forwarded-For`` is believed.
PROXIES_VARIABLE = "THREADWELL_PROXIES"
DEFAULT_PROXIES = "127.0.0.1, ::1"

_WRITTEN = re.compile(r"m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,2})")


class BadHashing(ValueError):
    """The setting is none, or weaker than is safe; the message says what is wrong."""


class Cost(NamedTuple):
    """Argon2id's parameters (RFC 9106 §3.1): memory in KiB, passes, lanes."""

    memory: int = 19_456
    passes: int = 2
    lanes: int = 1


#: What OWASP's Password Storage Cheat Sheet names as the least: memory by passes, with one lane.
_LEAST = ((47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5))
_MOST_MEMORY = 4 * 1024 * 1024


def cost() -> Cost:
    """The cost that is set; raises ``BadHashing``."""
    return parse_cost(os.environ.get(HASHING_VARIABLE, ""))


def parse_cost(text: str) -> Cost:
    """``m=KiB,t=passes,p=lanes``; the default for ``""``. Raises ``BadHashing``."""
    if not text.strip():
        return Cost()
    found = _WRITTEN.fullmatch(text.strip())
    if not found:
        raise BadHashing(f"{HASHING_VARIABLE} is written as m=19456,t=2,p=1, not {text!r}")
    asked = Cost(*map(int, found.groups()))
    if not any(asked.memory >= memory and asked.passes >= passes for memory, passes in _LEAST):
        least = ", ".join(f"m={memory},t={passes}" for memory, passes in _LEAST)
        raise BadHashing(f"{HASHING_VARIABLE} {text!r} is weaker than each of {least}")
    if not 1 <= asked.lanes <= 16 or asked.memory > _MOST_MEMORY:
        raise BadHashing(f"{HASHING_VARIABLE} {text!r} takes more than a machine can give")
    return asked

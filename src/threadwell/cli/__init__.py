"""The ``threadwell`` command: one module a subcommand, errors as plain sentences."""

from __future__ import annotations

from collections.abc import Sequence


def main(_argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (0 done, 1 it did not go well, 2 wrong usage)."""
    raise SystemExit(2)

"""What a whole process has, and a test must leave as it was: else another fails, by chance.

The hooks are those of whoever imports them: ``tests/conftest.py``.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM)
#: What pytest itself changes for each test.
_ITS_OWN = "PYTEST_CURRENT_TEST"


class Whole:
    """The state of a process at one moment."""

    def __init__(self) -> None:
        self._found = {name: read() for name, (read, _) in _STATE.items()}

    def changed(self) -> dict[str, tuple[Any, Any]]:
        """What is no longer so: what it was, and what it is."""
        return {
            name: (was, found)
            for name, was in self._found.items()
            if (found := _STATE[name][0]()) != was
        }

    def put_back(self, names: list[str]) -> None:
        """Make it so again, for whoever comes next."""
        for name in names:
            _STATE[name][1](self._found[name])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """What the process is like is known before its first test."""
    if not _WHOLE:
        _WHOLE.append(Whole())
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """A test that leaves the process another than it was fails, and not whoever runs after it."""
    torn = yield
    changed = _WHOLE[0].changed()
    _WHOLE[0].put_back(list(changed))
    for name in _A_COMMANDS:
        changed.pop(name, None)
    if changed:
        told = "; ".join(f"{name}: {_said(*both)}" for name, both in changed.items())
        pytest.fail(f"the test has left behind {told}", pytrace=False)
    return torn


_WHOLE: list[Whole] = []
#: What a command has to itself that a test runs in its own process: put back without a word.
_A_COMMANDS = ("what hears the log",)


def _said(was: Any, now: Any) -> str:
    if isinstance(was, dict):
        # The environment may hold a secret.
        names = {name for name, _ in was.items() ^ now.items()}
        return f"another {', '.join(sorted(names))}"
    return f"{was} is now {now}"


def _folder() -> str | None:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return None


def _environment() -> dict[str, str]:
    found = dict(os.environ)
    found.pop(_ITS_OWN, None)
    return found


def _put_back_environment(was: dict[str, str]) -> None:
    kept = {_ITS_OWN: os.environ[_ITS_OWN]} if _ITS_OWN in os.environ else {}
    os.environ.clear()
    os.environ.update(was | kept)


def _handlers() -> list[logging.Handler]:
    # Those that pytest hears with come and go as it likes.
    return [one for one in logging.root.handlers if not type(one).__module__.startswith("_pytest")]


def _put_back_handlers(was: list[logging.Handler]) -> None:
    for one in _handlers():
        logging.root.removeHandler(one)
    for one in was:
        logging.root.addHandler(one)


def _signals() -> list[Any]:
    return [signal.getsignal(number) for number in _SIGNALS]


def _put_back_signals(was: list[Any]) -> None:
    for number, handler in zip(_SIGNALS, was, strict=True):
        signal.signal(number, handler)


#: How each is read, and how it is put back.
_STATE: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "the handlers of signals": (_signals, _put_back_signals),
    "the environment": (_environment, _put_back_environment),
    "the folder": (_folder, os.chdir),
    "what hears the log": (_handlers, _put_back_handlers),
    "what the log leaves out": (lambda: logging.root.manager.disable, logging.disable),
    "whether garbage is looked for": (
        gc.isenabled,
        lambda was: gc.enable() if was else gc.disable(),
    ),
    "how often garbage is looked for": (gc.get_threshold, lambda was: gc.set_threshold(*was)),
    "what traces": (sys.gettrace, sys.settrace),
}

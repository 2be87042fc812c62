"""Tools that some tests need, and the loud word about tests that had to be left out."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, groupby
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
# What one module of tests has, others take by its whole name: `from tests.unit.access.world …`.
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests"), str(ROOT)]

import dovecot  # noqa: E402 - the scripts folder is no package
import lent_schemas  # noqa: E402
import postfix  # noqa: E402
import postgres  # noqa: E402
import second_look  # noqa: E402
import toolbox  # noqa: E402
import zone_data  # noqa: E402
from left_behind import pytest_runtest_setup, pytest_runtest_teardown  # noqa: E402, F401

# Tests start hundreds of processes: each would compile all of Threadwell anew.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.dont_write_bytecode = False

# With every request to an app httpx looks for a package that it does not need, in all folders where
# packages may be, and does not remember that there is none.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None

# Thousands of tests open a store, and each commit of one waits for the disk. No test is about what
# a disk keeps when the power fails, so their files are in memory where the machine has room.
_MEMORY, _ROOM = "/dev/shm", 4 * 1024**3


def _has_room(folder: str) -> bool:
    """Whether there is much room in a folder where we may write, and run what we have written."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    usable = os.access(folder, os.W_OK | os.X_OK) and not found.f_flag & os.ST_NOEXEC
    return usable and found.f_bavail * found.f_frsize >= _ROOM


if "TMPDIR" not in os.environ and _has_room(_MEMORY):
    os.environ["TMPDIR"] = tempfile.tempdir = _MEMORY

LEFT_OUT = second_look.LEFT_OUT
#: For what ``make test`` does not bring: named as loudly, and no failure.
BY_HAND = "left out, installed by hand only: "
_SCHEMAS = count()
#: As many as there are workers, or some of them.
_STRETCHES = 4

# The same examples in every run, so that a change is judged by itself; `make campaign` looks for
# new ones, many at a time, and a number for as many.
EXAMPLES = os.environ.get("THREADWELL_EXAMPLES", "steady")
settings.register_profile("steady", derandomize=True, deadline=None, max_examples=60)
settings.register_profile("campaign", deadline=None, max_examples=2000)
if EXAMPLES.isdigit():
    settings.register_profile(EXAMPLES, deadline=None, max_examples=int(EXAMPLES))
settings.load_profile(EXAMPLES)


@pytest.fixture
def steps() -> Callable[..., int]:
    """How many lines of our code a call runs, in files whose path has a text in it.

    It is work that is counted and not timed.
    """

    def _steps(call: Callable[[], object], within: str = "threadwell") -> int:
        lines = 0

        def line(_frame: FrameType, event: str, _argument: object) -> object:
            nonlocal lines
            lines += event == "line"
            return line

        def enter(frame: FrameType, _event: str, _argument: object) -> object:
            return line if within in frame.f_code.co_filename else None

        before = sys.gettrace()
        sys.settrace(enter)
        try:
            call()
        finally:
            sys.settrace(before)
        return lines

    return _steps


@pytest.fixture(scope="session")
def node() -> list[str]:
    """The command of Node.js, with the npm packages of ``tests/e2e/clients`` in place."""
    command = toolbox.find_node()
    if command is None or not toolbox.clients_ready():
        pytest.skip(LEFT_OUT + "no Node.js ≥ 20 with the npm packages (make test installs them)")
    return command


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium."""
    path = toolbox.find_headless_shell() or toolbox.find_chromium()
    if path is None:
        pytest.skip(LEFT_OUT + "no Chromium (make test installs Debian's as root)")
    return path


@pytest.fixture(scope="session")
def older_zones() -> Path:
    """The folder of an older release of the zone data, 2025b."""
    folder = zone_data.find()
    if folder is None:
        pytest.skip(LEFT_OUT + "no older zone data (make test installs it)")
    return folder


@pytest.fixture(scope="session")
def postgres_binaries() -> Path:
    """The folder of PostgreSQL's programs."""
    folder = postgres.find_binaries()
    if folder is None:
        pytest.skip(LEFT_OUT + "no PostgreSQL (make test installs Debian's as root, or a wheel)")
    return folder


@pytest.fixture(scope="session")
def mail_server() -> Iterator[dovecot.Server]:
    """A Dovecot without mails, at 127.0.0.1 and localhost."""
    program = dovecot.find()
    if program is None:
        pytest.skip(LEFT_OUT + "no Dovecot (make test installs Debian's as root)")
    server = dovecot.start(program)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postfix_program() -> str:
    """The program that starts a Postfix."""
    program = postfix.find()
    if program is None:
        pytest.skip(LEFT_OUT + "no Postfix that starts (make test installs Debian's as root)")
    return program


@pytest.fixture(scope="session")
def postgres_server(postgres_binaries: Path) -> Iterator[postgres.Server]:
    """A PostgreSQL that forgets everything when the machine crashes, and is fast for it."""
    server = postgres.start_server(postgres_binaries)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_schemas(postgres_server: postgres.Server) -> Iterator[lent_schemas.LentSchemas]:
    """Lends schemas of empty stores."""
    schemas = lent_schemas.LentSchemas(postgres_server)
    yield schemas
    schemas.close()


@pytest.fixture
def empty_postgres_urls(
    postgres_server: postgres.Server, postgres_schemas: lent_schemas.LentSchemas
) -> Iterator[Iterator[str]]:
    """The URLs of empty stores, as many as are taken, which other tests may have had before."""
    lent: list[str] = []

    def lend() -> Iterator[str]:
        while True:
            lent.append(postgres_schemas.lend())
            yield f"{postgres_server.url()}&schema={lent[-1]}"

    yield lend()
    for schema in lent:
        postgres_schemas.take_back(schema)


@pytest.fixture
def empty_postgres_url(empty_postgres_urls: Iterator[str]) -> str:
    """The URL of an empty store."""
    return next(empty_postgres_urls)


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> str:
    """The URL of a store that does not exist yet."""
    return f"{postgres_server.url()}&schema=test{next(_SCHEMAS)}"


def pytest_collection(session: pytest.Session) -> None:
    """What is collected stays: no look for garbage in it before all is there."""
    if not getattr(session.config.option, "numprocesses", None):
        gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers begin with a stretch of all tests each: tests of every folder are in each stretch.

    Else one of them has all that wait for browsers and servers, and the others wait for it.
    """
    modules = [list(some) for _, some in groupby(items, key=lambda one: one.path)]
    shares = [modules[first::_STRETCHES] for first in range(_STRETCHES)]
    items[:] = [one for share in shares for some in share for one in some]


def pytest_collection_finish() -> None:
    """Eighteen thousand collected tests are no garbage, and need no look again and again."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def _left_out(config: pytest.Config, *words: str) -> Counter[tuple[str, str]]:
    """How many tests of a module or class were left out, and why."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    skipped = terminal.stats.get("skipped", []) if terminal else []
    return Counter(
        (report.nodeid.partition("[")[0].rpartition("::")[0], report.longrepr[2])
        for report in skipped
        if isinstance(report.longrepr, tuple) and any(w in report.longrepr[2] for w in words)
    )


def pytest_terminal_summary(terminalreporter, config) -> None:
    """Name the tests that a missing tool left out."""
    missing = _left_out(config, LEFT_OUT, BY_HAND)
    if missing:
        terminalreporter.section("TESTS LEFT OUT: a tool is missing", sep="!", red=True, bold=True)
        for (place, why), number in missing.items():
            terminalreporter.write_line(f"{number} of {place}: {why}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a test that was left out is a failure, but for those of what is installed by hand."""
    if os.environ.get("CI") and _left_out(session.config, LEFT_OUT) and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

"""What a subcommand is, and the options that several of them share."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from shlex import quote

from threadwell.app import BASE_URL_VARIABLE
from threadwell.stores.urls import shown_store

#: The store of a command that is not told another one.
STORE_VARIABLE = "THREADWELL_STORE"
DEFAULT_STORE = "threadwell.db"
#: The project of a command that is not told another one: a name or an id.
PROJECT_VARIABLE = "THREADWELL_PROJECT"


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand. ``run`` returns the exit code, and raises ``Mistake`` for a user's error.

    ``summary`` is its line in ``threadwell --help``; ``about`` follows it in its own help, which
    ends with ``examples``: whole command lines.
    """

    name: str
    summary: str
    examples: tuple[str, ...]
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    about: str = ""


def add_action(parser: ArgumentParser, actions: Mapping[str, str]) -> None:
    """The first word: which of the ``actions``, by what each does; ``list`` if none is said."""
    parser.add_argument(
        "action",
        choices=actions,
        nargs="?",
        default="list",
        help="; ".join(f"{name}: {does}" for name, does in actions.items()),
    )


def add_project(parser: ArgumentParser) -> None:
    """``--project``: which of those of the store."""
    parser.add_argument(
        "--project",
        metavar="NAME",
        default=_project(),
        help=f"which of its projects (default: ${PROJECT_VARIABLE}, else the first one)",
    )


def add_store(parser: ArgumentParser, *, whole: bool = False) -> None:
    """``--store``: where the resources are; and ``--project``, unless it is the ``whole`` of it."""
    if not whole:
        add_project(parser)
    parser.add_argument(
        "--store",
        metavar="URL",
        default=_store(),
        help="sqlite:///PATH, a path or postgresql://… "
        f"(default: ${STORE_VARIABLE}, else {DEFAULT_STORE} here)",
    )


def there(arguments: Namespace, *, whole: bool = False) -> str:
    """What a further command needs to look at the same record, a space before each option.

    It is ``""`` where nothing was said of it: then a command goes there by itself. A command for
    the ``whole`` of a store takes no project.
    """
    store = f" --store {quote(shown_store(arguments.store))}" if arguments.store != _store() else ""
    if whole or arguments.project == _project():
        return store
    return f"{store} --project {quote(arguments.project)}"


def _store() -> str:
    return os.environ.get(STORE_VARIABLE) or DEFAULT_STORE


def _project() -> str:
    return os.environ.get(PROJECT_VARIABLE) or ""


def add_url(parser: ArgumentParser) -> None:
    """``--url``: where the server is reached that a link leads to."""
    parser.add_argument(
        "--url",
        default=os.environ.get(BASE_URL_VARIABLE) or "",
        help="where the server is reached "
        f"(default: ${BASE_URL_VARIABLE}, else as the server that runs on the store has noted)",
    )


def add_by(parser: ArgumentParser) -> None:
    """``--by``, or ``--as``: who does it, in words or as a reference."""
    parser.add_argument(
        "--by", "--as", metavar="WHO", default="", help="who does it: a name, or Practitioner/…"
    )


def add_format(parser: ArgumentParser) -> None:
    """``--format``: for people or for programs."""
    parser.add_argument(
        "--format",
        choices=["text", "json"],
        default="text",
        help="text for people, json for programs (default: text)",
    )

"""``threadwell backup``: a copy of a store as of one moment, while others write to it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from threadwell.cli.command import Command, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.streams import RETURN
from threadwell.stores.urls import shown_store, store_path


def add_arguments(parser: ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="the file to make, or a folder: there it is named by the store and the time in UTC",
    )
    add_store(parser, whole=True)


def run(arguments: Namespace) -> int:
    """Back up, and print the file."""
    from datetime import UTC, datetime

    from threadwell.app import back_up_file

    path = store_path(arguments.store)
    if path is None:
        raise Mistake(_otherwise(arguments.store, arguments.file))
    made = back_up_file(path, arguments.file, datetime.now(UTC), _progress)
    if sys.stderr.isatty():
        sys.stderr.write(f"{RETURN}          {RETURN}")
    print(made)
    return 0


def _progress(pages: int, of: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"{RETURN}{pages / max(of, 1):.0%}")
        sys.stderr.flush()


def _otherwise(store: str, file: Path) -> str:
    if str(store) == ":memory:" or not store.startswith("postgres"):
        return "a store in memory has nothing to back up"
    # A dump of this format is one file: ``pg_dump`` refuses a folder.
    file = file / "threadwell.dump" if file.is_dir() else file
    schema = store.partition("schema=")[2].partition("&")[0] or "threadwell"
    return (
        f"PostgreSQL backs {shown_store(store)} up itself: "
        f"pg_dump --format=custom --schema={schema} --file={file} DATABASE"
    )


COMMAND = Command(
    name="backup",
    summary="Copy a SQLite store into one file, as of one moment, while others write to it",
    about="Prints the file that it made. It writes over nothing: FILE must not be there yet; in a "
    "folder each backup has a name of its own. The store may be where nothing can be written. "
    "Back PostgreSQL up with its own pg_dump.",
    examples=(
        "threadwell backup /backup/",
        "threadwell backup practice-before-upgrade.db --store practice.db",
    ),
    add_arguments=add_arguments,
    run=run,
)

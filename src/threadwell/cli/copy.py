"""``threadwell copy``: everything of one store into another."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_format
from threadwell.cli.output import paint, plural, print_json

if TYPE_CHECKING:
    from threadwell.stores.copying import Tally

#: Seconds between two words about how far it is.
_PAUSE = 2.0


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("source", metavar="FROM", help="the store to copy: a path or URL")
    parser.add_argument("target", metavar="TO", help="an empty store, or a copy that was begun")
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Copy, and say what is there now."""
    import asyncio

    tally, new = asyncio.run(_copy(arguments.source, arguments.target))
    counts = {name: value for name, value in asdict(tally).items() if name != "digest"}
    if arguments.format == "json":
        print_json({**counts, "new": new, "digest": f"{tally.digest:032x}"})
        return 0
    print(f"{plural(tally.versions, 'version')} of {plural(tally.resources, 'resource')} copied:")
    print(f"  {new:,} new, {tally.versions - new:,} there already")
    print(f"  {tally.deletions:,} deleted, {plural(tally.contents, 'binary content')}")
    print(f"  {plural(tally.private, 'private value')} (keys, clients, logins)")
    print(paint("Both stores hold the same, byte for byte.", "green"))
    return 0


async def _copy(source_url: str, target_url: str) -> tuple[Tally, int]:
    from threadwell.app import open_store
    from threadwell.stores.copying import copy

    last = time.monotonic()

    def progress(tally: Tally, new: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PAUSE:
            last = now
            print(f"{plural(tally.versions, 'version')} read, {new:,} new", file=sys.stderr)

    source = open_store(source_url, create=False)
    try:
        target = open_store(target_url)
        try:
            return await copy(source, target, progress)
        finally:
            await target.close()
    finally:
        await source.close()


COMMAND = Command(
    name="copy",
    summary="Copy a whole store into another, with its history",
    about="Every version of every resource, deletions, binary contents and the server's own keys "
    "and clients are copied byte for byte, and compared at the end. An interrupted copy goes on "
    "where it was when it is started again; so does one whose source has grown.",
    examples=(
        "threadwell copy practice.db postgresql://threadwell@db.example.org/threadwell",
        "threadwell copy postgresql://db.example.org/threadwell practice.db --format json",
    ),
    add_arguments=add_arguments,
    run=run,
)

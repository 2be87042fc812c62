"""``threadwell export``: all that a store has as NDJSON in a folder."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.output import plural, print_json

if TYPE_CHECKING:
    from threadwell.bulk.job import Progress

_PAUSE = 2.0


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "folder", metavar="FOLDER", type=Path, help="where to: empty, or one that was begun"
    )
    parser.add_argument(
        "--type",
        metavar="TYPES",
        default="",
        help="only these, with commas between them (default: all that there are)",
    )
    parser.add_argument(
        "--since", metavar="INSTANT", default="", help="only what has changed after that"
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Export, and say what there is."""
    import asyncio

    from threadwell.fhir.definitions import RESOURCE_TYPES
    from threadwell.fhir.search.times import query_range

    types = [one.strip() for one in arguments.type.split(",") if one.strip()]
    if unknown := set(types) - RESOURCE_TYPES:
        raise Mistake(f"{min(unknown)} is no resource type of R4")
    since = None
    if arguments.since:
        try:
            since = query_range(arguments.since)[0] // 1000
        except ValueError:
            raise Mistake("--since is an instant, as 2024-04-10T09:00:00Z") from None
    progress = asyncio.run(_export(arguments, types or sorted(RESOURCE_TYPES), since))
    counts: dict[str, int] = {}
    for file in progress.files.values():
        if file.part == "output":
            counts[file.type] = counts.get(file.type, 0) + file.lines
    if arguments.format == "json":
        print_json({"resources": counts, "files": list(progress.files)})
        return 0
    print(f"{plural(progress.lines(), 'resource')} in {plural(len(progress.files), 'file')}:")
    for type_, count in counts.items():
        print(f"  {type_}: {count:,}")
    return 0


async def _export(arguments: Namespace, types: list[str], since: int | None) -> Progress:
    from threadwell.app import open_store
    from threadwell.audit.record import Who
    from threadwell.audit.way import WAY
    from threadwell.bulk.folder import Taken, export_into
    from threadwell.facade.opened import login_name
    from threadwell.projects.chosen import chosen
    from threadwell.projects.within import within

    last = time.monotonic()

    def told(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PAUSE:
            last = now
            print(f"{plural(progress.lines(), 'resource')} written", file=sys.stderr)

    by = Who(way=WAY.get(), name=login_name())
    store = open_store(arguments.store, create=False)
    try:
        project = await chosen(store)
        return await export_into(
            within(store, project), project, arguments.folder, types, since=since, told=told, by=by
        )
    except Taken as taken:
        raise Mistake(str(taken)) from None
    finally:
        await store.close()


COMMAND = Command(
    name="export",
    summary="Write all that a store has as NDJSON into a folder, as of one moment",
    about="A file for each type, and manifest.json. What is written meanwhile is not in it. Broken "
    "off, it goes on when it is started again. `threadwell load` takes it; earlier versions are "
    "only in a backup or a copy.",
    examples=(
        "threadwell export exported/",
        "threadwell export changes/ --type Patient,Communication --since 2026-11-01T00:00:00Z",
    ),
    add_arguments=add_arguments,
    run=run,
)

"""``threadwell view``: tables of what a store has, by SQL on FHIR's views."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadwell.cli.command import Command, add_action, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import plural
from threadwell.cli.output_file import whole_file
from threadwell.installs import pip_install

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from threadwell.bulk.tables import Wanted
    from threadwell.fhir.views.definition import Cells, View

#: What those have to know who count by that view.
_NAMED_ONLY = (
    "These are the answers that name the message which they answer, as mails do; texts name none. "
    "For the response time of every message see the query in docs/views.md."
)
_ACTIONS = {"run": "print or write the table", "list": "the views that come with Threadwell"}


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument(
        "view", metavar="VIEW", nargs="?", help="a ViewDefinition as JSON, or the name of ours"
    )
    parser.add_argument(
        "--to", metavar="FILE", type=Path, help="where to; .csv, .ndjson, .json or .parquet"
    )
    parser.add_argument(
        "--as", dest="as_", metavar="FORMAT", default="", help="csv, ndjson, json or parquet"
    )
    parser.add_argument("--limit", metavar="N", type=int, help="at most so many rows")
    add_store(parser)


def run(arguments: Namespace) -> int:
    """Run the view."""
    import asyncio

    from threadwell.bulk.tables import (
        FORMATS,
        NoParquet,
        Wanted,
        WrongType,
        check_parquet,
        shipped,
        shipped_names,
    )
    from threadwell.fhir.json import BadJson, decode
    from threadwell.fhir.views.definition import BadView, SeveralValues, compiled
    from threadwell.fhir.views.paths import TooMuch

    if arguments.action == "list":
        for name in shipped_names():
            print(f"{name}: {(shipped(name) or {})['title']}")
        return 0
    if not arguments.view:
        raise Mistake("which view? Give a file, or one of `threadwell view list`")
    suffix = arguments.to.suffix.removeprefix(".").lower() if arguments.to else ""
    kind = arguments.as_ or suffix or "csv"
    if kind not in FORMATS:
        known = ", ".join(FORMATS)
        if arguments.as_:
            raise Misuse(f"--as is one of {known}")
        raise Misuse(f"{arguments.to}: .{suffix} is none of {known}; --as says which it shall be")
    definition: Any = shipped(arguments.view)
    try:
        if definition is None:
            definition = decode(_file(arguments.view))
        view = compiled(definition)
        if kind == "parquet":
            check_parquet()
        rows = asyncio.run(_run(arguments, view, Wanted(kind, most=arguments.limit)))
    except (BadJson, BadView, SeveralValues, TooMuch, WrongType) as error:
        raise Mistake(str(error)) from None
    except NoParquet as error:
        raise Mistake(f"{error}: {pip_install('pyarrow')}") from None
    _tell(arguments, rows)
    return 0


def _tell(arguments: Namespace, rows: int) -> None:
    """Say how many rows there are, where nobody sees them or there is none."""
    if arguments.to or not rows:
        print(plural(rows, "row"), file=sys.stderr)
    if arguments.view == "response_times":
        print(_NAMED_ONLY, file=sys.stderr)


def _file(view: str) -> bytes:
    try:
        return Path(view).read_bytes()
    except OSError as error:
        text = f"{view}: {error.strerror}; `threadwell view list` names those that are here already"
        raise Mistake(text) from None


async def _run(arguments: Namespace, view: View, wanted: Wanted) -> int:
    """Write the table, and answer how many rows it has."""
    from threadwell.app import open_store
    from threadwell.audit.record import Who
    from threadwell.audit.way import WAY
    from threadwell.bulk.tables import rows_of, written
    from threadwell.facade.opened import login_name
    from threadwell.facade.threadwell import reading_trail
    from threadwell.fhir.search.query import Query
    from threadwell.projects.chosen import chosen
    from threadwell.projects.within import within

    store = open_store(arguments.store, create=False, reading=True)
    by = Who(way=WAY.get(), name=login_name())
    trail = reading_trail(arguments.store)(store, by)
    try:
        project = await chosen(store)
        seen = within(trail.store, project)
        told = Counter[str]()
        rows = _counted(rows_of(seen, project, view, Query(view.resource), wanted.most), told)
        with (
            trail.watching(project, by, "list", asked="view") as witness,
            whole_file(arguments.to) if arguments.to else nullcontext(sys.stdout.buffer) as out,
        ):
            async for part in written(wanted, view.columns, rows):
                # What cannot be recorded is not shown.
                witness.tell()
                out.write(part)
            out.flush()
    finally:
        trail.close()
        await store.close()
    return told["rows"]


async def _counted(
    rows: AsyncIterator[list[Cells]], told: Counter[str]
) -> AsyncIterator[list[Cells]]:
    async for some in rows:
        told["rows"] += len(some)
        yield some


COMMAND = Command(
    name="view",
    summary="Tables of sessions, messages, response times, or of a view of your own",
    about="A view is a ViewDefinition of SQL on FHIR. It tells which rows a resource makes, and is "
    "run over all resources of its type.",
    examples=(
        "threadwell view list",
        "threadwell view run sessions",
        "threadwell view run mine.json --to mine.parquet --store practice.db",
    ),
    add_arguments=add_arguments,
    run=run,
)

"""``threadwell duties``: do the work that comes up without a request, or show how it fares."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.output import plural, print_json, table

if TYPE_CHECKING:
    from threadwell.duties.standing import Standing


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    parser.add_argument(
        "--show", action="store_true", help="do nothing: show every duty, and who has it"
    )
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do the duties until Ctrl-C, or show them."""
    if arguments.show:
        return _show(arguments)
    from threadwell.server import logs
    from threadwell.server.attendance import do_duties
    from threadwell.stores.urls import shown_store

    logs.configure("duties")
    print(f"Threadwell does the duties of {shown_store(arguments.store)}")
    print("Ctrl-C stops it.", flush=True)
    return do_duties(arguments.store)


def _show(arguments: Namespace) -> int:
    import asyncio

    standings = asyncio.run(_standings(arguments.store))
    if arguments.format == "json":
        print_json([_in_json(one) for one in standings])
    elif standings:
        print(
            table(
                ["Duty", "Done by", "Rounds", "Failed", "Last went well", "Error"], _rows(standings)
            )
        )
        nobody = [one.name for one in standings if not one.held]
        if nobody:
            print(
                f"\n{plural(len(nobody), 'duty')} is done by nobody: `threadwell serve` does them."
            )
    else:
        print("No duty has ever been done: `threadwell serve` and `threadwell duties` do them.")
    return 0


async def _standings(url: str) -> list[Standing]:
    from threadwell.app import open_store
    from threadwell.duties.standing import standings

    store = open_store(url, create=False, reading=True)
    try:
        return await standings(store)
    finally:
        await store.close()


def _rows(standings: Sequence[Standing]) -> list[list[str]]:
    return [
        [
            one.name,
            one.holder or "nobody",
            str(one.record.runs),
            str(one.record.failures),
            _time(one.record.last_success) or "never",
            one.record.error or "-",
        ]
        for one in standings
    ]


def _in_json(one: Standing) -> dict[str, object]:
    record = one.record
    return {
        "name": one.name,
        "held": one.held,
        "holder": one.holder,
        "runs": record.runs,
        "failures": record.failures,
        "seconds": round(record.seconds, 3),
        "lastSuccess": _time(record.last_success),
        "lastFailure": _time(record.last_failure),
        "error": record.error,
    }


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}" if seconds else ""


COMMAND = Command(
    name="duties",
    summary="Do the work that comes up without a request",
    about="Sessions that are over, deliveries that wait, replies to be sent. `threadwell serve` "
    "does it too. Of all processes of a store one does each duty at a time; when it is gone, "
    "another one goes on within seconds.",
    examples=(
        "threadwell duties",
        "threadwell duties --show",
        "threadwell duties --show --format json",
    ),
    add_arguments=add_arguments,
    run=run,
)

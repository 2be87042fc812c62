"""``threadwell outbox``: what is to be sent, and what a person has to decide about."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.output import on_a_clock, print_json, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from threadwell.inbox.dates import Dates
    from threadwell.intake.replies.outbox import Queued


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--replay", metavar="ID", help="send one that was not sent, after all")
    which.add_argument("--drop", metavar="ID", help="send one that was not sent never")
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Show the outbox, or decide about a message in it."""
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        try:
            if arguments.replay:
                tw.replay_letter(arguments.replay)
            elif arguments.drop:
                tw.drop_letter(arguments.drop)
        except LookupError as error:
            raise Mistake(str(error)) from None
        waiting, dead, depths = tw.outbox(), tw.dead_letters(), tw.outbox_depths()
        dates = tw.dates
    if arguments.format == "json":
        from threadwell.intake.replies.outbox import shown

        by_account = [
            {
                "account": one.account,
                "waiting": one.waiting,
                "oldest": on_a_clock(one.oldest),
                "dead": one.dead,
            }
            for one in depths
        ]
        print_json({"waiting": shown(waiting), "dead": shown(dead), "accounts": by_account})
        return 0
    if not waiting and not dead:
        print("Everything that was written is sent.")
    if waiting:
        print("To be sent:")
        print(_rows(waiting, _behind(waiting)))
    if dead:
        print("Not sent; --replay sends one after all, --drop never:")
        print(_rows(dead))
    some = [one for one in depths if one.waiting or one.dead]
    if some:
        rows = [
            [one.account, str(one.waiting), _when(one.oldest, dates), str(one.dead)] for one in some
        ]
        print(table(["Account", "To be sent", "The oldest written", "Not sent"], rows))
        print(f"\nTimes are in {dates.zone.key}.")
    return 0


def _rows(letters: Sequence[Queued], behind: Mapping[str, str] | None = None) -> str:
    rows = [
        [
            one.id,
            f"Communication/{one.entry.message}",
            one.entry.account,
            str(one.entry.stage),
            str(one.entry.tries),
            _why(one) or (behind or {}).get(one.id, "-"),
        ]
        for one in letters
    ]
    return table(["Id", "Message", "Account", "Stage", "Tries", "Why"], rows)


def _when(seconds: float, dates: Dates) -> str:
    return dates.text(on_a_clock(seconds)) if seconds else "-"


def _why(one: Queued) -> str:
    entry = one.entry
    return f"{entry.reason} ({entry.code})" if entry.code else entry.reason


def _behind(waiting: Sequence[Queued]) -> dict[str, str]:
    """Of what would overtake an earlier message of its thread: behind which one it waits, by id."""
    first: dict[tuple[str, str, str], str] = {}
    out: dict[str, str] = {}
    for one in waiting:
        entry = one.entry
        before = first.setdefault((entry.channel, entry.account, entry.thread), one.id)
        if before != one.id:
            out[one.id] = f"waits behind {before}"
    return out


COMMAND = Command(
    name="outbox",
    summary="What is to be sent, and what could not be",
    about="What was refused for good, and what nobody can tell of whether it was sent, waits here "
    "for a person. To replay one that may have been sent says that it was not.",
    examples=(
        "threadwell outbox",
        "threadwell outbox --replay 019ae3f0-6a35-7d0c-9a53-2f4b8a6b7c11",
    ),
    add_arguments=add_arguments,
    run=run,
)

"""``threadwell reviews``: the questions that only a person can answer."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_format, add_store, there
from threadwell.cli.output import plural, print_json, table
from threadwell.shown import on_a_line

if TYPE_CHECKING:
    from threadwell.inbox.reviews import Review


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """List every open question, with why it is asked and what it is about."""
    import threadwell

    with threadwell.open(arguments.store, read_only=True) as tw:
        reviews, zone = tw.reviews(), tw.dates.zone
    if arguments.format == "json":
        print_json([asdict(review) for review in reviews])
    elif reviews:
        rows = [
            [one.when or "-", one.why, one.href, one.about or "-", _waiting(one)] for one in reviews
        ]
        print(table(["First message", "Why", "Page", "Who", "Waiting"], rows))
        print(f"\n{plural(len(reviews), 'question')}; times are in {zone.key}.")
        print(f"The pages are those of `threadwell serve{there(arguments, whole=True)}`.")
        for line in _to_answer(reviews, there(arguments)):
            print(line)
    else:
        print("Nothing is to be reviewed.")
    return 0


def _waiting(review: Review) -> str:
    """How many messages wait for the answer, where they do."""
    return plural(review.number, "message") if review.addresses else "-"


def _to_answer(reviews: Iterable[Review], where: str) -> Iterator[str]:
    """The beginning of the command that answers each question, and those to choose from."""
    for one in reviews:
        if one.candidates:
            what = one.about if one.addresses else one.when
            yield f"\n{what}: threadwell answer{where} {one.task.removeprefix('Task/')} …"
        for candidate in one.candidates:
            yield f"    {candidate.patient}  {on_a_line(candidate.name)}"


COMMAND = Command(
    name="reviews",
    summary="List the questions that only a person can answer",
    about="Which patient a session is about, who writes at an address that several patients share, "
    "whether a billed session must be corrected. Each is a Task. Those of the first two kinds are "
    "followed by the people to choose from, for `threadwell answer`.",
    examples=("threadwell reviews", "threadwell reviews --format json"),
    add_arguments=add_arguments,
    run=run,
)

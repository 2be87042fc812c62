"""``threadwell reviews``: the questions that only a person can answer."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_format, add_store
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

    with threadwell.open(arguments.store, create=False) as tw:
        reviews, zone = tw.reviews(), tw.dates.zone
    if arguments.format == "json":
        print_json([asdict(review) for review in reviews])
    elif reviews:
        from threadwell.inbox.reviews import one_for_each_address

        rows = [
            [f"{one.number:,}", one.when or "-", one.why, one.href, one.about or "-"]
            for one in one_for_each_address(reviews)
        ]
        print(table(["Questions", "First message", "Why", "Page", "Who"], rows))
        print(f"\n{plural(len(reviews), 'question')}; times are in {zone.key}.")
        print("The pages are those of `threadwell serve`.")
        for line in _to_answer(reviews):
            print(line)
    else:
        print("Nothing is to be reviewed.")
    return 0


def _to_answer(reviews: Iterable[Review]) -> Iterator[str]:
    """The beginning of the command that answers each question, and the patients to choose from."""
    for one in reviews:
        if one.candidates:
            yield f"\n{one.when}: threadwell answer {one.task.removeprefix('Task/')} …"
        for candidate in one.candidates:
            yield f"    {candidate.patient}  {on_a_line(candidate.name)}"


COMMAND = Command(
    name="reviews",
    summary="List the questions that only a person can answer",
    about="Which patient a session is about, whose message an address of several patients sent, "
    "whether a billed session must be corrected. Each is a Task. Those of the first kind are "
    "followed by the patients to choose from, for `threadwell answer`.",
    examples=("threadwell reviews", "threadwell reviews --format json"),
    add_arguments=add_arguments,
    run=run,
)

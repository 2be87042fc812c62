"""``threadwell reviews``: the questions that only a person can answer."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.output import plural, print_json, shorten, table

#: So that a row is no wider than a terminal of 160 columns.
_WIDEST = 50


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """List every open question, with why it is asked and what it is about."""
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        reviews, zone = tw.reviews(), tw.care_zone
    if arguments.format == "json":
        print_json([asdict(review) for review in reviews])
    elif reviews:
        rows = [
            [one.when or "-", one.why, shorten(one.about, _WIDEST) or "-", one.href]
            for one in reviews
        ]
        print(table(["First message", "Why", "Who", "Page"], rows))
        print(f"\n{plural(len(reviews), 'question')}; times are in {zone.key}.")
        print("The pages are those of `threadwell serve`.")
    else:
        print("Nothing is to be reviewed.")
    return 0


COMMAND = Command(
    name="reviews",
    summary="List the questions that only a person can answer",
    about="Which patient a session is about, whose message an address of several patients sent, "
    "whether a billed session must be corrected. Each is a Task.",
    examples=("threadwell reviews", "threadwell reviews --format json"),
    add_arguments=add_arguments,
    run=run,
)

"""The argument parser of a list of commands."""

from __future__ import annotations

from argparse import ArgumentParser, HelpFormatter, RawDescriptionHelpFormatter
from collections.abc import Container, Sequence
from textwrap import fill

import threadwell
from threadwell.cli.command import Command

_ABOUT = """\
Threadwell turns care messages into FHIR R4 encounters, and serves them.

Start with:
  threadwell import ~/exports --people people.csv --owner +12125550100 --zone America/New_York
  threadwell sessions
  threadwell serve"""


def build_parser(
    commands: Sequence[Command], words: Container[str] | None = None
) -> ArgumentParser:
    """A parser that leaves the chosen command's ``run`` in the namespace.

    To parse ``words`` is all it has to be able to do, if there are any: most of what it would cost
    is the arguments of the commands that are not among them.
    """
    parser = ArgumentParser(prog="threadwell", description=_ABOUT, formatter_class=_formatter)
    parser.add_argument(
        "--version", action="version", version=f"threadwell {threadwell.__version__}"
    )
    table = parser.add_subparsers(
        metavar="COMMAND", required=True, title="commands", parser_class=_InAnyOrder
    )
    for command in commands:
        if words is not None and command.name not in words:
            table.add_parser(command.name, help=command.summary, add_help=False)
            continue
        examples = "\n".join(f"  {line}" for line in command.examples)
        child = table.add_parser(
            command.name,
            help=command.summary,
            description="\n\n".join(
                [fill(command.summary + ".", 96), *filter(None, [fill(command.about, 96)])]
            ),
            epilog=f"example{'s'[: len(command.examples) - 1]}:\n{examples}",
            formatter_class=_formatter,
        )
        command.add_arguments(child)
        child.add_argument(
            "--debug", action="store_true", help="show the traceback of an unexpected error"
        )
        child.set_defaults(run=command.run, command=command.name)
    return parser


class _InAnyOrder(ArgumentParser):
    """Takes options before, between and behind what has no name.

    ``argparse`` takes an argument that may be left out for left out where an option stands in its
    place, and then does not know it behind the option.
    """

    _splitting = False

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        if self._splitting:
            return super().parse_known_args(args, namespace)
        self._splitting = True
        try:
            known, rest = self.parse_known_intermixed_args(args, namespace)
            if rest:
                # Said here, and not by the parser of all commands, whose usage helps nobody.
                self.error(f"unrecognized arguments: {' '.join(rest)}")
            return known, rest
        finally:
            self._splitting = False


def _formatter(prog: str) -> HelpFormatter:
    # As wide as the text is written, wherever the help is read or kept.
    return RawDescriptionHelpFormatter(prog, max_help_position=26, width=100)

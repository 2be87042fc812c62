"""What ``get``, ``post``, ``put``, ``patch`` and ``delete`` share: one FHIR request on a store.

The request takes the way of an HTTP request through the API, so it means and answers the same.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

from threadwell.cli.command import Command, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.output import print_json


def request_command(
    name: str, summary: str, path: str, *examples: str, body: bool = False, create: bool = False
) -> Command:
    """The command that makes the request of that method; ``path`` says what its path names.

    With ``create`` a store that is not there yet is made.
    """

    def add_arguments(parser: ArgumentParser) -> None:
        _add_path(parser, path)
        if body:
            _add_body(parser)

    def run(arguments: Namespace) -> int:
        return _send(name.upper(), arguments, create=create)

    return Command(
        name=name, summary=summary, examples=examples, add_arguments=add_arguments, run=run
    )


def _add_path(parser: ArgumentParser, text: str) -> None:
    """The FHIR path of the request, and ``--store``."""
    parser.add_argument("path", metavar="PATH", help=text)
    add_store(parser)


def _add_body(parser: ArgumentParser) -> None:
    """The body: JSON here, in a file or on standard input."""
    parser.add_argument(
        "body", metavar="BODY", help="JSON text, @FILE for a file, - for standard input"
    )


def _send(method: str, arguments: Namespace, *, create: bool = False) -> int:
    """Make the request and print what comes back; a refused one is an error."""
    import threadwell

    body = _body(arguments.body) if hasattr(arguments, "body") else None
    reads = method == "GET"
    with threadwell.open(arguments.store, create=create, read_only=reads) as tw:
        answer = tw.request(method, arguments.path, body)
    if answer is not None:
        print_json(answer)
    return 0


def _body(text: str) -> Any:
    from threadwell.fhir.json import BadJson, parse

    where, hint = "the body", ""
    if text == "-":
        written = sys.stdin.read().encode("utf-8", "surrogatepass")
    elif text.startswith("@"):
        where = text[1:]
        # Editors of Windows put a mark before what they write.
        written = Path(where).read_bytes().removeprefix(BOM_UTF8)
    else:
        written = text.encode("utf-8", "surrogatepass")
        if not text.lstrip().startswith(("{", "[")):
            hint = "; write @FILE for what is in a file, - for standard input"
    try:
        return parse(written)
    except BadJson as error:
        raise Mistake(f"{where} is not JSON: {error}{hint}") from None

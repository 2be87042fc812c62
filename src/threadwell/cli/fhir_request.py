"""What ``get``, ``post``, ``put``, ``patch`` and ``delete`` share: one FHIR request on a store.

The request takes the way of an HTTP request through the API, so it means and answers the same.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from threadwell.cli.command import add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.output import print_json


def add_path(parser: ArgumentParser, text: str) -> None:
    """The FHIR path of the request, and ``--store``."""
    parser.add_argument("path", metavar="PATH", help=text)
    add_store(parser)


def add_body(parser: ArgumentParser) -> None:
    """The body: JSON here, in a file or on standard input."""
    parser.add_argument(
        "body", metavar="BODY", help="JSON text, @FILE for a file, - for standard input"
    )


def send(method: str, arguments: Namespace, *, create: bool = False) -> int:
    """Make the request and print what comes back; a refused one is an error.

    With ``create`` a store that is not there yet is made.
    """
    import threadwell

    body = _body(arguments.body) if hasattr(arguments, "body") else None
    with threadwell.open(arguments.store, create=create) as tw:
        answer = tw.request(method, arguments.path, body)
    if answer is not None:
        print_json(answer)
    return 0


def _body(text: str) -> Any:
    from threadwell.fhir.json import BadJson, parse

    where = "the body"
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        where = text[1:]
        text = Path(where).read_text("utf-8")
    try:
        return parse(text.encode("utf-8", "surrogatepass"))
    except BadJson as error:
        raise Mistake(f"{where} is not JSON: {error}") from None

"""``threadwell keys``: what tokens are signed with, and what secrets are kept with."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import print_json, table

_ACTIONS = {
    "list": "the keys that tokens are signed with",
    "rotate": "sign with a new key from now on",
    "make": "make a key for secrets, in a new FILE that its owner alone may read",
}


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("file", metavar="FILE", nargs="?", help="of a new key for secrets (make)")
    parser.add_argument(
        "--at-once",
        action="store_true",
        help="somebody else may have the key: what it has signed opens nothing any more (rotate)",
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    action, file = arguments.action, arguments.file
    if (action == "make") is not bool(file):
        raise Misuse("threadwell keys make FILE says where; list and rotate take no FILE")
    if arguments.at_once and action != "rotate":
        raise Misuse("--at-once goes with keys rotate")
    if action == "make":
        return _make(Path(file))
    return _of_store(arguments)


def _make(file: Path) -> int:
    from threadwell.stores.sealing import SECRETS_FILE_VARIABLE, new_key_file

    try:
        new_key_file(file)
    except OSError as error:
        raise Mistake(f"{file} cannot be made: {error.strerror}") from None
    print(f"{file} has a key. Set {SECRETS_FILE_VARIABLE} to it wherever the store is opened,")
    print("and keep a copy apart from backups of the store: nothing starts without it.")
    return 0


def _of_store(arguments: Namespace) -> int:
    import threadwell
    from threadwell.fhir.stamp import instant

    with threadwell.open(arguments.store) as tw:
        if arguments.action == "rotate":
            kid = tw.rotate_signing_key(at_once=arguments.at_once)
            print(f"Tokens are signed with {kid} from now on.")
            return 0
        found = tw.signing_keys()
        if arguments.format == "json":
            print_json([{"kid": kid, "until": instant(u) if u else ""} for kid, u in found])
            return 0
        told = [[kid, tw.dates.text(instant(u)) if u else "it signs"] for kid, u in found]
        print(table(["Key", "Good until"], told))
    return 0


COMMAND = Command(
    name="keys",
    summary="List and change the keys that tokens are signed with",
    about="What the key before has signed is good until it expires, an hour later at most. Running "
    "servers know of a new key within a second.",
    examples=("threadwell keys list", "threadwell keys rotate", "threadwell keys make secrets.key"),
    add_arguments=add_arguments,
    run=run,
)

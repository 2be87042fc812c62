"""``threadwell expunge``: remove a resource for good, or all of a patient."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.output import print_json


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("resource", metavar="TYPE/ID", help="what to remove: Communication/…")
    parser.add_argument(
        "--everything",
        action="store_true",
        help="of a Patient: with all that is about them and about nobody else",
    )
    parser.add_argument("--yes", action="store_true", help="do it: without this it is only counted")
    add_store(parser)
    add_format(parser)


def _run(arguments: Namespace) -> int:
    import threadwell

    name = arguments.resource
    if not all(name.partition("/")):
        raise Mistake(f"say what to remove as TYPE/ID, such as Patient/f2b7: {name} is none")
    if arguments.everything and not name.startswith("Patient/"):
        raise Mistake(f"--everything is of a Patient: {name} is none")
    from threadwell.bulk.expunging import NotThere

    only_count = not arguments.yes
    with threadwell.open(arguments.store, create=False, read_only=only_count) as tw:
        try:
            done = tw.expunge(name, everything=arguments.everything, only_count=only_count)
        except NotThere as error:
            raise Mistake(str(error)) from None
    removed = ", ".join(f"{count:,} {type_}" for type_, count in sorted(done.removed.items()))
    if only_count:
        raise Mistake(_told(name, removed, len(done.left), everything=arguments.everything))
    if arguments.format == "json":
        print_json({"removed": done.removed, "left": done.left})
        return 0
    print(f"Removed for good: {removed}")
    for one in done.left:
        print(f"Left, as it is not about this patient alone, and names them: {one}")
    return 0


def _told(name: str, removed: str, left: int, *, everything: bool) -> str:
    told = f"{removed} would be gone for good, with all versions"
    if left:
        told += f" ({left:,} would be left that name the patient)"
    told += ": say --yes to do it"
    if name.startswith("Patient/") and not everything:
        told += ", and --everything for all that is about them, too"
    return told


COMMAND = Command(
    name="expunge",
    summary="Remove a resource for good, with all its versions; or all of a patient",
    about="Nothing can bring it back but a backup: no import does, though its export has it. The "
    "audit trail keeps that it was there, and who removed it.",
    examples=(
        "threadwell expunge Communication/da0850cc-bbf6-5ec6-9d3c --yes",
        "threadwell expunge Patient/f2b7 --everything --yes",
    ),
    add_arguments=_add_arguments,
    run=_run,
)

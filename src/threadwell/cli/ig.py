"""``threadwell ig``: implementation guides, and what writes are held against."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import plural, print_json, table
from threadwell.shown import on_a_line

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.fhir.packages.package import Package

_ACTIONS = {
    "list": "the packages there are, and what is checked",
    "add": "keep the packages in the files WHAT (.tgz)",
    "remove": "keep the packages WHAT no longer (NAME or NAME#VERSION)",
    "set": "say what is checked: profiles=off|check, references=off|type|exists",
}


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("what", metavar="WHAT", nargs="*", help="files, names, or settings")
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell
    from threadwell.fhir.packages.package import BadPackage

    action, what = arguments.action, arguments.what
    if (action == "list") == bool(what):
        wants = "" if action == "list" else " WHAT"
        raise Misuse(f"it is written: threadwell ig {action}{wants}")
    writes = action != "list"
    try:
        with threadwell.open(
            arguments.store, create=action in ("add", "set"), read_only=not writes
        ) as tw:
            _act(tw, arguments)
    except (BadPackage, LookupError, ValueError) as error:
        raise Mistake(on_a_line(str(error))) from None
    return 0


def _act(tw: Threadwell, arguments: Namespace) -> None:
    as_json = arguments.format == "json"
    match arguments.action:
        case "add":
            for path in arguments.what:
                _add(tw, Path(path))
        case "remove":
            for name in arguments.what:
                print(f"{tw.remove_guide(name).label} is removed.")
        case "set":
            given = dict(_setting(text) for text in arguments.what)
            state = tw.set_checks(**given)
            print(f"profiles={state.profiles} references={state.references}")
        case _:
            _print_list(tw, as_json=as_json)


def _add(tw: Threadwell, path: Path) -> None:
    from threadwell.fhir.packages.package import BadPackage
    from threadwell.fhir.packages.reading import MAX_PACKED

    if path.is_file() and path.stat().st_size > MAX_PACKED:
        raise BadPackage(f"{path}: it is larger than {MAX_PACKED // 1024 // 1024} MB")
    try:
        added = tw.add_guide(path.read_bytes())
    except BadPackage as error:
        raise BadPackage(f"{path}: {error}") from None
    label = on_a_line(added.package.label)
    print(f"{label}: {_counted(added.package)}.{' It was there.' if added.was_there else ''}")
    if added.missing:
        needs = on_a_line(", ".join(added.missing))
        print(f"  It names what other packages have, which is not checked without them: {needs}")
    for one in added.unread:
        print(f"  Not used: {on_a_line(one)}")


def _setting(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or name not in ("profiles", "references"):
        raise Misuse(f"{text!r} is no setting such as profiles=check or references=exists")
    return name, value


def _counted(package: Package) -> str:
    counts = Counter("profile" if head.profile else head.type for head in package.heads)
    return ", ".join(plural(count, kind) for kind, count in sorted(counts.items()))


def _print_list(tw: Threadwell, *, as_json: bool) -> None:
    state, found = tw.checks(), tw.guides()
    if as_json:
        packages = [
            {"name": one.name, "version": one.version, "title": one.title, "needs": [*one.needs]}
            for one in found
        ]
        checks = {"profiles": state.profiles, "references": state.references}
        print_json({"packages": packages, **checks})
        return
    if found:
        rows = [[one.name, one.version, _counted(one)] for one in found]
        print(table(["Package", "Version", "Has"], rows))
    else:
        print("There are no packages; `threadwell ig add FILE` adds one.")
    print(f"\nChecked of what clients write: profiles={state.profiles}", end=" ")
    print(f"references={state.references}")


COMMAND = Command(
    name="ig",
    summary="Add implementation guides, and say what is checked",
    about="A guide is a FHIR package: profiles, value sets and code systems. What a resource "
    "claims in meta.profile is then checked when a client writes it. docs/profiles.md tells of it.",
    examples=(
        "threadwell ig add hl7.fhir.us.core-6.1.0.tgz",
        "threadwell ig",
        "threadwell ig set profiles=check references=exists",
        "threadwell ig remove hl7.fhir.us.core#6.1.0",
    ),
    add_arguments=add_arguments,
    run=run,
)

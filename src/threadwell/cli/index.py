"""``threadwell index``: what a store can be searched by, and what that costs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import plural, print_json, table

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.stores.costs import Cost
    from threadwell.stores.parameters import Parameters

_ACTIONS = {
    "list": "what each search parameter costs, the dearest first",
    "off": "leave out parameters of R4 (Communication.received)",
    "on": "bring them back",
    "add": "keep the SearchParameter in each file (- is standard input), and index by it",
}
#: Lines that are shown unless all are asked for.
_SHOWN = 40


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="Type.code, or files; of list: types"
    )
    parser.add_argument(
        "--wait", action="store_true", help="do the indexing here, and end when it is done"
    )
    parser.add_argument(
        "--exact", action="store_true", help="look at all resources, and not at samples of them"
    )
    parser.add_argument("--all", action="store_true", help=f"show more than {_SHOWN} lines")
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Show what there is, or change it."""
    import threadwell

    action = arguments.action
    if action != "list" and not arguments.names:
        wants = "FILE…" if action == "add" else "Type.code…"
        raise Misuse(f"it is written: threadwell index {action} {wants}")
    reads = action == "list" and not arguments.wait
    with threadwell.open(arguments.store, create=False, read_only=reads) as tw:
        if action == "add":
            for name in arguments.names:
                _add(tw, name)
        elif action != "list":
            change = tw.bring_back if action == "on" else tw.leave_out
            try:
                change(*arguments.names)
            except ValueError as error:
                raise Mistake(str(error)) from None
        if arguments.wait:
            while tw.index().pending:
                pass
        if action == "list":
            _list(tw, arguments)
        else:
            _tell(tw.search_parameters(), arguments)
    return 0


def _add(tw: Threadwell, name: str) -> None:
    from threadwell.fhir.json import BadJson, parse

    try:
        text = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        resource = parse(text)
    except OSError as error:
        raise Mistake(f"cannot read {name}: {error.strerror}") from None
    except BadJson as error:
        raise Mistake(f"{name} is no JSON: {error}") from None
    if not isinstance(resource, dict) or resource.get("resourceType") != "SearchParameter":
        raise Mistake(f"{name} is no SearchParameter")
    if resource.get("status") != "active":
        raise Mistake(f"{name}: a SearchParameter is in use while its status is active")
    url = resource.get("url", "")
    there = list(tw.search_resources("SearchParameter", {"url": url})) if url else []
    if there:
        tw.update_resource({**resource, "id": there[0]["id"]})
    else:
        tw.create_resource(resource)


def _list(tw: Threadwell, arguments: Namespace) -> None:
    wanted = set(arguments.names)
    costs = tw.index_costs(exact=arguments.exact)
    found = [one for one in costs if not wanted or one.type in wanted]
    if arguments.format == "json":
        print_json([_in_json(one) for one in found])
        return
    if not found:
        print("The store holds nothing yet.")
        return
    shown = found if arguments.all else found[:_SHOWN]
    print(table(["Parameter", "Entries", "Bytes", "Bytes each", ""], [*map(_row, shown)]))
    if len(found) > len(shown):
        print(f"\n{plural(len(found) - len(shown), 'line')} more: --all shows them.")
    entries, size = (sum(getattr(one, name) for one in found) for name in ("entries", "bytes"))
    how = "" if arguments.exact else ", by samples of each type"
    print(f"\nAll together: {entries:,} entries, {size:,} bytes{how}.")


def _row(one: Cost) -> list[str]:
    state = one.state.value if one.state else "has to stay" if one.needed else ""
    each = one.bytes / one.resources if one.resources else 0
    name = f"{one.type}.{one.code}" if one.code else f"{one.type} (lists of several, and of all)"
    return [name, str(one.entries), str(one.bytes), f"{each:.0f}", state]


def _in_json(one: Cost) -> dict[str, Any]:
    return {
        "type": one.type,
        "code": one.code or None,
        "resources": one.resources,
        "entries": one.entries,
        "bytes": one.bytes,
        "state": one.state.value if one.state else None,
        "needed": one.needed or None,
    }


def _tell(parameters: Parameters, arguments: Namespace) -> None:
    if arguments.format == "json":
        print_json(
            [
                {"type": one.type, "code": one.code, "state": one.state.value}
                for one in parameters.listed
            ]
        )
        return
    if not parameters.listed:
        print("The store is indexed by the parameters of R4, all of them and no other.")
        return
    rows = [[f"{one.type}.{one.code}", one.state.value, one.of.url] for one in parameters.listed]
    print(table(["Parameter", "State", "Defined by"], rows))
    if parameters.pending:
        print("\nThe index is brought in line by `threadwell serve` or `threadwell duties`.")


COMMAND = Command(
    name="index",
    summary="Tell what each search parameter costs; leave some out, or add some",
    about="Entries and bytes are those of the index. What is left out cannot be searched by, "
    "takes no room, and makes writes cheaper. A SearchParameter that is created over FHIR does "
    "what add does.",
    examples=(
        "threadwell index",
        "threadwell index off Communication.received --wait",
        "threadwell index on Communication.received --wait",
    ),
    add_arguments=add_arguments,
    run=run,
)

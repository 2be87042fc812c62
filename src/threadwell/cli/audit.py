"""``threadwell audit``: who has seen and changed what."""

from __future__ import annotations

import base64
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.meant import actor_meant, patient_meant
from threadwell.cli.numbers import positive
from threadwell.cli.output import plural, print_json, table
from threadwell.cli.output_file import whole_file

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.fhir.resource import Resource

_ACTIONS = {
    "list": "the accesses and changes, newest first",
    "show": "one of them, by its ID, as JSON",
    "export": "all that match as NDJSON, to the file ID or to standard output",
    "verify": "look whether anything of the chain was changed or removed",
    "head": "print the end of the chain, to be noted outside",
    "prune": "remove what is older than it is to be kept",
    "keep": "keep the trail for ID days (0: for ever), and show how long it is kept",
}
#: Events that are listed unless it is asked for more.
_COUNT = 50


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("id", metavar="ID", nargs="?", help="an event, a file, or days")
    parser.add_argument(
        "--patient", metavar="WHO", default="", help="about a patient: name, id or reference"
    )
    parser.add_argument(
        "--who",
        metavar="WHO",
        default="",
        help="by a person or client: name, reference, an account's e-mail address, a client's id",
    )
    parser.add_argument("--entity", metavar="REFERENCE", default="", help="of this resource")
    parser.add_argument("--since", metavar="TIME", default="", help="from then on (2031-05-04)")
    parser.add_argument("--until", metavar="TIME", default="", help="before then")
    parser.add_argument("--act", metavar="WORD", default="", help="read, search, $reply, login, …")
    parser.add_argument(
        "--broken-glass", action="store_true", help="what was seen beyond a policy, with a reason"
    )
    parser.add_argument("--refused", action="store_true", help="what was not allowed, or is hidden")
    parser.add_argument(
        *("--limit", "--count"),
        metavar="N",
        type=positive,
        default=_COUNT,
        help=f"the newest N of them (default: {_COUNT})",
    )
    parser.add_argument(
        "--head", metavar="LINES:HASH", default="", help="what `audit head` printed once"
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell

    action = arguments.action
    if (action == "show" and not arguments.id) or (
        action not in ("show", "export", "keep") and arguments.id
    ):
        raise Misuse(f"it is written: threadwell audit {action}{' ID' * (action == 'show')}")
    with threadwell.open(arguments.store, create=False) as tw:
        match action:
            case "list":
                _list(tw, arguments)
            case "show":
                _show(tw, arguments.id)
            case "export":
                _export(tw, arguments)
            case "verify":
                return _verify(tw, arguments)
            case "head":
                print(tw.audit_head())
            case "prune":
                _prune(tw)
            case _:
                _keep(tw, arguments.id)
    return 0


def _list(tw: Threadwell, arguments: Namespace) -> None:
    found = list(islice(_events(tw, arguments), arguments.limit))
    if arguments.format == "json":
        print_json(found)
    elif found:
        print(table(["Time", "Who", "From", "What", "Patient", "Of", "ID"], list(map(_row, found))))
        if len(found) == arguments.limit:
            print(f"\nThe newest {len(found)}; --limit shows more.")
    else:
        print("Nothing was recorded that matches.")


def _events(tw: Threadwell, arguments: Namespace) -> Iterator[Resource]:
    return tw.audit_events(
        patient=patient_meant(tw, arguments.patient),
        who=actor_meant(tw, arguments.who),
        entity=arguments.entity,
        since=_time(arguments.since, "--since"),
        until=_time(arguments.until, "--until"),
        act=_act(arguments.act),
        broken_glass=arguments.broken_glass,
        refused=arguments.refused,
    )


def _act(act: str) -> str:
    from threadwell.audit.finding import check_act

    if act:
        try:
            check_act(act)
        except ValueError as error:
            raise Misuse(f"--act: {error}") from None
    return act


def _row(event: Resource) -> list[str]:
    entities = event.get("entity", [])
    what = [e["what"]["reference"] for e in entities if "reference" in e.get("what", {})]
    patients = [one for one in what if one.startswith("Patient/") and "/_history/" not in one]
    others = [one.partition("/_history/")[0] for one in what if one not in patients]
    queries = [base64.b64decode(e["query"]).decode() for e in entities if "query" in e]
    asked = [e["name"] for e in entities if "name" in e]
    of = next(iter(queries or others or asked), "")
    more = f" and {len(others) - 1} more" if len(others) > 1 and not queries else ""
    told = " ".join(one["code"] for one in event["subtype"])
    refused = f" ({event['outcomeDesc']})" if event["outcome"] != "0" else ""
    agents = event["agent"]
    who = next((a for a in agents if a["requestor"]), agents[0])
    shown = who["who"].get("reference") or who["who"].get("display", "")
    address = next((a["network"]["address"] for a in agents if "network" in a), "")
    return [
        event["recorded"][:19] + "Z",
        who.get("name") or shown,
        address or agents[0]["who"].get("display", ""),
        told + refused,
        patients[0].partition("/")[2] if patients else "",
        of[:60] + more,
        event["id"],
    ]


def _show(tw: Threadwell, id_: str) -> None:
    try:
        print_json(tw.audit_event(id_))
    except LookupError as error:
        raise Mistake(str(error)) from None


def _export(tw: Threadwell, arguments: Namespace) -> None:
    lines = _lines(_events(tw, arguments))
    if not arguments.id or arguments.id == "-":
        for line in lines:
            sys.stdout.write(line)
        return
    path = Path(arguments.id)
    count = 0
    with whole_file(path, over=False) as file:
        for count, line in enumerate(lines, 1):  # noqa: B007 - the last one is how many
            file.write(line.encode())
    print(f"{plural(count, 'event')} written to {path}.")


def _lines(events: Iterator[Resource]) -> Iterator[str]:
    from threadwell.fhir.json import encode

    for event in events:
        yield encode(event).decode() + "\n"


def _verify(tw: Threadwell, arguments: Namespace) -> int:
    try:
        verdict = tw.verify_audit(arguments.head)
    except ValueError as error:
        raise Misuse(f"--head: {error}") from None
    if arguments.format == "json":
        print_json(
            {
                "lines": verdict.lines,
                "first": verdict.first,
                "head": f"{verdict.head.lines}:{verdict.head.hash}",
                "problem": verdict.problem,
                "late": verdict.late,
                **({"line": verdict.line} if verdict.line >= 0 else {}),
            }
        )
    elif verdict.problem and verdict.line < 0:
        print(f"The trail is not proven: {verdict.problem}.")
    elif verdict.problem:
        print(f"The chain is broken at line {verdict.line}: {verdict.problem}.")
        print(f"The {plural(verdict.lines, 'line')} before it are as they were.")
    else:
        pruned = f", from line {verdict.first} on: what was before is pruned" * bool(verdict.first)
        print(f"The chain is whole: {plural(verdict.lines, 'line')}{pruned}.")
        if verdict.late:
            print("The store was changed before its first line: of that the trail tells nothing.")
        print(f"It ends with {verdict.head.lines}:{verdict.head.hash}")
        if not arguments.head:
            print("Whoever can write the store can write a chain anew: --head finds that out.")
    return 1 if verdict.problem else 0


def _prune(tw: Threadwell) -> None:
    if not tw.audit_retention():
        print("The trail is kept for ever: `threadwell audit keep DAYS` says for how long.")
        return
    pruned = tw.prune_audit()
    print(f"{plural(pruned.lines, 'line')} removed; the chain begins with line {pruned.gone} now.")


def _keep(tw: Threadwell, days: str | None) -> None:
    if days is not None:
        if not days.isdecimal():
            raise Misuse("it is written: threadwell audit keep DAYS")
        tw.keep_audit_for(int(days))
    kept = tw.audit_retention()
    print(f"The trail is kept for {plural(kept, 'day')}." if kept else "It is kept for ever.")


def _time(text: str, option: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Misuse(f"{option} is a day or a time, as 2031-05-04 or 2031-05-04T09:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


COMMAND = Command(
    name="audit",
    summary="Show who has seen and changed what, and prove that nothing of that was changed",
    about="Every access and change is recorded, and each record is chained to the one before it. "
    "Note what `threadwell audit head` prints where nobody who has the store can change it. "
    "docs/audit.md tells what is recorded.",
    examples=(
        "threadwell audit",
        "threadwell audit list --patient 123 --since 2031-05-04",
        "threadwell audit list --who 'Mo Adeyemi' --limit 200",
        "threadwell audit export trail.ndjson --since 2031-05-01 --until 2031-06-01",
        "threadwell audit head >> heads.txt",
        "threadwell audit verify --head 1204:9f…",
        "threadwell audit keep 2190",
    ),
    add_arguments=add_arguments,
    run=run,
)

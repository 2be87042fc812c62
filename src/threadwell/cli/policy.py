"""``threadwell policy``: who may see and write what."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadwell.cli.client import named
from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import print_json, table
from threadwell.cli.variables import add_with, variables
from threadwell.shown import on_a_line

if TYPE_CHECKING:
    from threadwell.facade import Threadwell

_ACTIONS = {
    "list": "the policies there are, and who has them",
    "roles": "the ready-made ones",
    "show": "print the policy NAME, or that of a role, as JSON",
    "set": "keep the AccessPolicy in the file NAME (- is standard input), or that of a role",
    "remove": "remove NAME, if nobody has it",
    "give": "give NAME to WHO",
    "take": "take NAME from WHO, who may do nothing once they have none left",
    "free": "let WHO do everything again (threadwell policy free WHO)",
}
_WITH_WHO = ("give", "take")
_WITH_NAME = ("show", "set", "remove", "free", *_WITH_WHO)


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("name", metavar="NAME", nargs="?", help="of a policy, a role, or a file")
    parser.add_argument(
        "who", metavar="WHO", nargs="?", help="a client, by its name or id, or Practitioner/…"
    )
    parser.add_argument(
        "--as",
        dest="acts_as",
        metavar="REFERENCE",
        default="",
        help="whom WHO acts for: %%profile (Practitioner/…, Patient/…)",
    )
    add_with(parser, "what another variable stands for")
    parser.add_argument(
        "--until", metavar="DAY", default="", help="the day it ends, as 2031-05-04 (UTC)"
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell
    from threadwell.access.reading import BadPolicy

    action = arguments.action
    given = (bool(arguments.name), bool(arguments.who))
    if given != (action in _WITH_NAME, action in _WITH_WHO):
        wants = " WHO" if action == "free" else " NAME" * (action in _WITH_NAME)
        wants += " WHO" * (action in _WITH_WHO)
        raise Misuse(f"it is written: threadwell policy {action}{wants}")
    if action == "roles":
        _print_roles(as_json=arguments.format == "json")
        return 0
    try:
        with threadwell.open(arguments.store, create=action == "set") as tw:
            _act(tw, arguments)
    except (BadPolicy, LookupError) as error:
        raise Mistake(str(error)) from None
    return 0


def _act(tw: Threadwell, arguments: Namespace) -> None:
    name = arguments.name
    match arguments.action:
        case "list":
            _print_list(tw, as_json=arguments.format == "json")
        case "show":
            print_json(_shown(tw, name))
        case "set":
            kept = tw.set_policy(_read(name))
            print(f"{on_a_line(kept['name'])} ({kept['id']}) holds from now on.")
        case "remove":
            tw.remove_policy(name)
            print(f"{on_a_line(name)} is removed.")
        case "give":
            made = tw.give_policy(
                _who(tw, arguments.who),
                name,
                acts_as=arguments.acts_as,
                parameters=variables(arguments.parameters),
                until=_day(arguments.until),
            )
            print(f"{made.who} acts as {made.profile}, by {_count(made.grants)}.")
        case "take":
            made = tw.take_policy(_who(tw, arguments.who), name)
            many = _count(made.grants)
            print(f"{made.who} has {many} left." if many else f"{made.who} may do nothing now.")
        case _:
            who = _who(tw, name)
            tw.free_of_policies(who)
            print(f"{who} may do everything.")


def _who(tw: Threadwell, name: str) -> str:
    """The reference of a client, by its name or id, or of a person."""
    return name if "/" in name else f"ClientApplication/{named(tw, name).id}"


def _read(name: str) -> Any:
    """A role by its name, or the JSON of a file."""
    from threadwell.access.roles import ROLES

    if name in ROLES:
        return name
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
        return json.loads(text)
    except FileNotFoundError:
        roles = ", ".join(ROLES)
        raise Mistake(f"there is no file {name}, and no such role: there are {roles}") from None
    except (OSError, ValueError) as error:
        raise Mistake(f"{name} cannot be read as JSON: {error}") from None


def _shown(tw: Threadwell, name: str) -> Any:
    from threadwell.access.roles import ROLES, role

    for one in tw.policies():
        if name in (one["id"], one["name"]):
            return one
    if name in ROLES:
        return role(name)
    raise Mistake(f"there is no policy {name}: `threadwell policy list` has those there are")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Misuse(f"--until must be a day, as 2031-05-04: {text}") from None


def _print_roles(*, as_json: bool) -> None:
    from threadwell.access.roles import ROLES, about_role

    if as_json:
        print_json([{"name": name, "about": about_role(name)} for name in ROLES])
    else:
        print(table(["Role", "Who has it sees"], [[name, about_role(name)] for name in ROLES]))


def _print_list(tw: Threadwell, *, as_json: bool) -> None:
    members = tw.memberships()
    rows = [
        (one["name"], one["id"], [m.who for m in members if one["id"] in _policies(m)])
        for one in tw.policies()
    ]
    if as_json:
        print_json([{"name": name, "id": id_, "given": given} for name, id_, given in rows])
    elif rows:
        names = {f"ClientApplication/{one.id}": on_a_line(one.name) for one in tw.clients()}
        shown = [
            [
                on_a_line(name),
                id_,
                ", ".join(f"{names[who]} ({who})" if names.get(who) else who for who in given)
                or "-",
            ]
            for name, id_, given in rows
        ]
        print(table(["Name", "ID", "Given to"], shown))
    else:
        print("There are no policies; `threadwell policy set participant` keeps a ready-made one.")


def _count(grants: Sequence[object]) -> str:
    """How many, ``""`` for none."""
    return "1 policy" if len(grants) == 1 else f"{len(grants)} policies" if grants else ""


def _policies(membership: Any) -> list[str]:
    return [grant.policy for grant in membership.grants]


COMMAND = Command(
    name="policy",
    summary="Say who may see and write what: keep policies, and give them to clients",
    about="Who has no policy may do everything. Who has some may do what any of them allows. A "
    "running server goes by a change within a second. docs/access.md tells how to write one.",
    examples=(
        "threadwell policy roles",
        "threadwell policy set participant",
        "threadwell policy give participant scheduling --as Practitioner/123",
        "threadwell policy give proxy app --as RelatedPerson/7 --with patient=Patient/9 "
        "--until 2031-05-04",
        "threadwell policy list",
    ),
    add_arguments=add_arguments,
    run=run,
)

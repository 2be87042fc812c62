"""``threadwell policy``: who may see and write what."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadwell.cli.client import named
from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import print_json, table
from threadwell.cli.variables import add_with, refused, variables
from threadwell.shown import on_a_line

if TYPE_CHECKING:
    from threadwell.access.grants import Held
    from threadwell.facade import Threadwell

_ACTIONS = {
    "list": "the policies there are, who has them, and from when until when",
    "roles": "the ready-made ones",
    "show": "print the policy NAME, or that of a role, as JSON",
    "set": "keep the AccessPolicy in the file NAME (- is standard input), or that of a role",
    "remove": "remove NAME, if nobody has it",
    "give": "give NAME to WHO",
    "take": "take NAME from WHO, who may do nothing once they have none left",
    "free": "let WHO do everything again (threadwell policy free WHO)",
    "age": "the age from which a patient is asked themselves: 1 to 25 years, or none; or tell it",
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
    parser.add_argument(
        "--age", metavar="YEARS", default="", help="the age for this grant, in place of the usual"
    )
    parser.add_argument(
        "--from-age", action="store_true", help="it begins on the day the patient is of that age"
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell
    from threadwell.access.reading import BadPolicy

    action = arguments.action
    given = (bool(arguments.name), bool(arguments.who))
    if action == "age" and not arguments.who:
        given = (False, False)
    if given != (action in _WITH_NAME, action in _WITH_WHO):
        wants = " WHO" if action == "free" else " NAME" * (action in _WITH_NAME)
        wants = " [YEARS]" if action == "age" else wants
        wants += " WHO" * (action in _WITH_WHO)
        raise Misuse(f"it is written: threadwell policy {action}{wants}")
    if action == "roles":
        _print_roles(as_json=arguments.format == "json")
        return 0
    try:
        with threadwell.open(arguments.store, create=action == "set") as tw:
            _act(tw, arguments)
    except (BadPolicy, LookupError) as error:
        raise Mistake(refused(error)) from None
    return 0


def _act(tw: Threadwell, arguments: Namespace) -> None:
    name = arguments.name
    match arguments.action:
        case "list":
            _print_list(tw, as_json=arguments.format == "json")
        case "age":
            _age(tw, arguments.name, as_json=arguments.format == "json")
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
                age=_years(arguments.age) if arguments.age else 0,
                from_age=arguments.from_age,
            )
            print(f"{made.who} acts as {made.profile}, by {_count(made.grants)}.")
            _print_when(tw, made.who)
        case "take":
            which = variables(arguments.parameters)
            made = tw.take_policy(_who(tw, arguments.who), name, parameters=which)
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


def _years(text: str) -> int:
    from threadwell.access.of_age import BadAge, parse_age

    try:
        return parse_age(text)
    except BadAge as error:
        raise Misuse(str(error)) from None


def _age(tw: Threadwell, text: str | None, *, as_json: bool) -> None:
    years = tw.of_age(_years(text) if text else None)
    over = [
        one
        for _, held in tw.holding()
        for one in held
        if not one.holds and (one.ends is not None or one.unknown)
    ]
    if as_json:
        print_json({"age": years or None, "hold_no_more": len(over)})
        return
    print(f"A patient is of age at {years}." if years else "No age is chosen.")
    if over:
        print(f"{_grants(len(over))} by it: `threadwell policy list` says which.")


def _grants(many: int) -> str:
    return "1 grant does not hold" if many == 1 else f"{many} grants do not hold"


def _print_when(tw: Threadwell, who: str) -> None:
    """From when and until when the last of somebody's grants holds, where that is limited."""
    held = next((held for one, held in tw.holding() if one.who == who), ())
    if held and (when := _when(held[-1])):
        print(f"Today: {when}.")


def _when(held: Held) -> str:
    """``""`` where it holds for good."""
    until = held.grant.until
    parts = [f"from {held.begins}"] if held.begins else []
    parts += [f"until {held.ends}"] if held.ends else []
    if until:
        parts.append(f"until {datetime.fromtimestamp(until / 1000, UTC):%Y-%m-%d} (UTC)")
    if held.unknown:
        parts.append("does not hold, as no birth date or no age is known")
    elif not held.holds:
        parts.append("does not hold")
    return ", ".join(parts)


def _print_roles(*, as_json: bool) -> None:
    from threadwell.access.roles import ROLES, about_role

    if as_json:
        print_json([{"name": name, "about": about_role(name)} for name in ROLES])
    else:
        print(table(["Role", "Who has it sees"], [[name, about_role(name)] for name in ROLES]))


def _print_list(tw: Threadwell, *, as_json: bool) -> None:
    held = [(one.who, grant) for one, grants in tw.holding() for grant in grants]
    rows = [
        (one["name"], one["id"], [(who, h) for who, h in held if h.grant.policy == one["id"]])
        for one in tw.policies()
    ]
    if as_json:
        print_json([_as_json(*row) for row in rows])
    elif rows:
        names = {f"ClientApplication/{one.id}": on_a_line(one.name) for one in tw.clients()}
        shown = [
            [
                on_a_line(name),
                id_,
                ", ".join([_given(who, h, names) for who, h in given]) or "-",
            ]
            for name, id_, given in rows
        ]
        print(table(["Name", "ID", "Given to"], shown))
    else:
        print("There are no policies; `threadwell policy set participant` keeps a ready-made one.")


def _given(who: str, held: Held, names: Mapping[str, str]) -> str:
    whose = f"{names[who]} ({who})" if names.get(who) else who
    of = " ".join([f"{name}={value}" for name, value in held.grant.parameters.items()])
    told = ": ".join(filter(None, (of, _when(held))))
    return f"{whose} [{told}]" if told else whose


def _as_json(name: str, id_: str, given: Sequence[tuple[str, Held]]) -> dict[str, Any]:
    return {
        "name": name,
        "id": id_,
        "given": list(dict.fromkeys(who for who, _ in given)),
        "grants": [
            {
                "who": who,
                "parameters": held.grant.parameters,
                "holds": held.holds,
                "from": held.begins and str(held.begins),
                "until": _until(held),
                "unknown": held.unknown,
            }
            for who, held in given
        ],
    }


def _until(held: Held) -> str | None:
    """The day on which it ends: the first one, where there are two."""
    ends = [str(held.ends)] if held.ends else []
    if held.grant.until:
        ends.append(f"{datetime.fromtimestamp(held.grant.until / 1000, UTC):%Y-%m-%d}")
    return min(ends, default=None)


def _count(grants: Sequence[object]) -> str:
    """How many, ``""`` for none."""
    return "1 policy" if len(grants) == 1 else f"{len(grants)} policies" if grants else ""


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
        "threadwell policy age 18",
        "threadwell policy give patient app --as Patient/9 --from-age",
        "threadwell policy list",
    ),
    add_arguments=add_arguments,
    run=run,
)

"""``threadwell user``: the accounts of people."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadwell.cli.command import Command, add_action, add_format, add_store, add_url
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import plural, print_json, table
from threadwell.cli.variables import add_with, refused, variables
from threadwell.shown import on_a_line

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.users.user import User

_ACTIONS = {
    "invite": "make an account for EMAIL, and print the link by which its owner sets a password",
    "add": "the same, with a password that is typed here",
    "list": "the accounts there are",
    "show": "one of them",
    "disable": "let EMAIL in no more, at once",
    "enable": "let EMAIL in again",
    "reset": "print a link by which EMAIL sets another password, within an hour",
    "role": "give EMAIL the policy or role --role in place of what they have",
    "sessions": "where EMAIL is signed in; --end signs them out everywhere",
}
_MAKES = ("invite", "add")
_PROFILES = ("Practitioner", "Patient", "RelatedPerson")

#: What members of an invitation are called here.
_OPTIONS = {"firstName": "--first", "lastName": "--last"}


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("email", metavar="EMAIL", nargs="?", help="the e-mail address")
    parser.add_argument("--first", metavar="NAME", default="", help="first name")
    parser.add_argument("--last", metavar="NAME", default="", help="last name")
    parser.add_argument(
        "--as",
        dest="profile",
        metavar="REFERENCE",
        default="",
        help="whom they act as (Practitioner/…, Patient/…, RelatedPerson/…); without it the one "
        "who has the e-mail address, or a new one",
    )
    parser.add_argument(
        "--type",
        choices=_PROFILES,
        default="Practitioner",
        help="what a new one is (default: Practitioner)",
    )
    parser.add_argument(
        "--for",
        dest="patient",
        metavar="PATIENT",
        default="",
        help="whom a new RelatedPerson is for (Patient/…)",
    )
    parser.add_argument(
        "--role",
        metavar="ROLE",
        default="",
        help="what they may see: a policy or a ready-made role (`threadwell policy roles`); "
        "without it a Practitioner may do everything",
    )
    add_with(parser, "what a variable of the role stands for")
    parser.add_argument(
        "--admin", action="store_true", help="they may register clients and invite others"
    )
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        default="",
        help="add: read the password from there (- is standard input)",
    )
    parser.add_argument(
        "--second-factor",
        action="store_true",
        help="reset: ask for no code any more, too, until they set up another authenticator",
    )
    parser.add_argument("--end", action="store_true", help="sessions: end them")
    add_url(parser)
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell
    from threadwell.access.reading import BadPolicy
    from threadwell.users.inviting import AlreadyMember
    from threadwell.users.passwords import BadPassword
    from threadwell.users.user import BadUser

    action = arguments.action
    if bool(arguments.email) != (action != "list"):
        wants = "" if action == "list" else " EMAIL"
        raise Misuse(f"it is written: threadwell user {action}{wants}")
    if action == "role" and not arguments.role:
        raise Misuse("it is written: threadwell user role EMAIL --role ROLE")
    try:
        with threadwell.open(arguments.store, create=action in _MAKES) as tw:
            _act(tw, arguments)
    except BadUser as error:
        text = str(error)
        for name, option in _OPTIONS.items():
            text = text.replace(name, option)
        raise Mistake(text) from None
    except (BadPolicy, BadPassword, AlreadyMember, LookupError) as error:
        raise Mistake(refused(error)) from None
    return 0


def _act(tw: Threadwell, arguments: Namespace) -> None:
    email = arguments.email
    as_json = arguments.format == "json"
    match arguments.action:
        case "list":
            _print_list(tw, as_json=as_json)
        case "invite" | "add":
            _make(tw, arguments)
        case "show":
            _show(tw, tw.user(email), as_json=as_json)
        case "disable":
            done = tw.disable_user(email)
            print(f"{email} gets in no more." if done else f"{email} did not get in anyway.")
        case "enable":
            done = tw.enable_user(email)
            print(f"{email} gets in again." if done else f"{email} got in anyway.")
        case "reset":
            if arguments.second_factor:
                tw.drop_second_factor(email)
            print(tw.reset_user(email))
        case "role":
            _give_role(tw, arguments)
        case _:
            _sessions(tw, arguments, as_json=as_json)


def _make(tw: Threadwell, arguments: Namespace) -> None:
    from threadwell.users.passwords import check_password

    password = ""
    if arguments.action == "add":
        password = _password(arguments.password_file)
        # Before there is an account that nobody can open.
        check_password(password, (arguments.email, arguments.first, arguments.last))
    invited = tw.invite(
        arguments.email,
        first=arguments.first,
        last=arguments.last,
        type=arguments.type,
        profile=arguments.profile,
        policy=arguments.role,
        parameters=variables(arguments.parameters),
        admin=arguments.admin,
        patient=arguments.patient,
    )
    link = ""
    if password:
        tw.set_user_password(invited.user.email, password)
    else:
        link = tw.password_url(invited, arguments.url)
    if arguments.format == "json":
        print_json({**_row(tw, tw.user(invited.user.email)), "link": link})
        return
    print(f"{invited.user.email} acts as {invited.member.profile}.")
    if link:
        print("They set a password by this link, once, within 7 days:")
        print(link)


def _password(path: str) -> str:
    if path == "-":
        return sys.stdin.readline().rstrip("\r\n")
    if path:
        try:
            return Path(path).read_text("utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            raise Mistake(f"{path} cannot be read: {error}") from None
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("The same again: "):
        raise Mistake("the two are not the same")
    return password


def _give_role(tw: Threadwell, arguments: Namespace) -> None:
    from threadwell.access.roles import ROLES

    user = tw.user(arguments.email)
    name = arguments.role
    if name in ROLES and not any(name in (p["id"], p["name"]) for p in tw.policies()):
        tw.set_policy(name)
    parameters = variables(arguments.parameters)
    for profile in _profiles(tw, user):
        had = next((m.grants for m in tw.memberships() if m.who == profile), ())
        tw.give_policy(profile, name, acts_as=profile, parameters=parameters)
        kept = next(m.grants for m in tw.memberships() if m.who == profile)[-1]
        for policy in {grant.policy for grant in had} - {kept.policy}:
            tw.take_policy(profile, policy)
        for grant in had:
            if grant.policy == kept.policy and grant.parameters != kept.parameters:
                tw.take_policy(profile, grant.policy, parameters=grant.parameters)
        print(f"{profile} has {name} from now on.")
    if arguments.admin:
        tw.set_admin(user.email, True)


def _sessions(tw: Threadwell, arguments: Namespace, *, as_json: bool) -> None:
    from threadwell.fhir.stamp import instant

    if arguments.end:
        print(f"{plural(tw.end_sign_ins(arguments.email), 'browser')} signed out.")
        return
    found = tw.sign_ins(arguments.email)
    rows = [(one.id, instant(one.begun), one.agent, "+".join(one.methods)) for one in found]
    if as_json:
        names = ("id", "since", "browser", "by")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    elif rows:
        shown = [[tw.dates.text(since), on_a_line(agent), by] for _, since, agent, by in rows]
        print(table(["Since", "Browser", "By"], shown))
    else:
        print(f"{arguments.email} is signed in nowhere.")


def _show(tw: Threadwell, user: User, *, as_json: bool) -> None:
    row = _row(tw, user)
    if as_json:
        print_json(row)
        return
    row = {**row, "policies": _may(row)}
    del row["grants"]
    for name, value in row.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        text = {True: "yes", False: "no"}.get(shown, shown) if isinstance(shown, bool) else shown
        print(f"{name.replace('_', ' ').capitalize():15} {on_a_line(str(text)) or '-'}")


def _print_list(tw: Threadwell, *, as_json: bool) -> None:
    rows = [_row(tw, user) for user in tw.users()]
    if as_json:
        print_json(rows)
    elif rows:
        shown = [
            [
                *(on_a_line(one["email"]), on_a_line(one["name"]), one["state"]),
                *(", ".join(one["acts_as"]), ", ".join(_may(one)) or "everything"),
                *("yes" if one["admin"] else "no", "yes" if one["second_factor"] else "no"),
            ]
            for one in rows
        ]
        heads = ["E-mail", "Name", "State", "Acts as", "May do", "Admin", "Second factor"]
        print(table(heads, shown))
    else:
        print("There are no accounts; `threadwell user invite EMAIL` makes one.")


def _row(tw: Threadwell, user: User) -> dict[str, Any]:
    profiles = _profiles(tw, user)
    given = [grant for m in tw.memberships() if m.who in profiles for grant in m.grants]
    names = {one["id"]: one["name"] for one in tw.policies()}
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "state": user.state,
        "acts_as": profiles,
        "policies": [names.get(grant.policy, grant.policy) for grant in given],
        "grants": [
            {"policy": names.get(grant.policy, grant.policy), "parameters": grant.parameters}
            for grant in given
        ],
        "admin": any(one.admin for one in user.members),
        "second_factor": user.factor is not None,
    }


def _may(row: dict[str, Any]) -> list[str]:
    """Each policy, with what its variables stand for: ``proxy (patient=Patient/9)``."""
    told = [
        ", ".join(f"{name}={of}" for name, of in one["parameters"].items()) for one in row["grants"]
    ]
    return [
        f"{on_a_line(name)} ({of})" if of else on_a_line(name)
        for name, of in zip(row["policies"], told, strict=True)
    ]


def _profiles(tw: Threadwell, user: User) -> list[str]:
    return [one.profile for one in user.members if one.project == tw.project]


COMMAND = Command(
    name="user",
    summary="Make accounts for people, say what they may see, end them",
    about="An account is an e-mail address, a password that its owner sets by a link, and whom "
    "they act as. docs/users.md tells the rest. A running server goes by a change within a second.",
    examples=(
        "threadwell user invite robin@clinic.example.org --as Practitioner/123 --role participant",
        "threadwell user invite ana@example.org --type Patient --as Patient/9",
        "threadwell user list",
        "threadwell user reset robin@clinic.example.org",
        "threadwell user disable robin@clinic.example.org",
    ),
    add_arguments=add_arguments,
    run=run,
)

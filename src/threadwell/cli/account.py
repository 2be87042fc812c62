"""``threadwell account``: what a practice has at its providers, and what they need to deliver."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import plural, print_json, table

if TYPE_CHECKING:
    from threadwell.channels.account import Account, Field
    from threadwell.facade import Threadwell

_ACTIONS = {
    "add": "set up an account called NAME",
    "list": "the accounts there are",
    "show": "one of them, without its secrets",
    "remove": "forget one, and its secrets",
    "token": "a token of a patient's app, to try its chat",
}
#: Minutes for which a token is good that is made by hand.
_MINUTES = 60
_HIDDEN = "(kept)"


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("name", metavar="NAME", nargs="?", help="of the account: part of its URL")
    parser.add_argument("--channel", metavar="CHANNEL", help="the provider: twilio, …")
    parser.add_argument(
        "--address",
        metavar="NUMBER",
        action="append",
        default=[],
        help="a phone number or mail address of the practice there; may be repeated",
    )
    parser.add_argument(
        "--set",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="a field that is no secret; may be repeated",
    )
    parser.add_argument(
        "--secret-file",
        metavar="FIELD=PATH",
        action="append",
        default=[],
        help="a secret, out of a file; - reads it from standard input",
    )
    parser.add_argument(
        "--secret-env",
        metavar="FIELD=VARIABLE",
        action="append",
        default=[],
        help="a secret, out of the environment; what is not given is asked for",
    )
    parser.add_argument(
        "--url",
        metavar="URL",
        default="",
        help="the URL that the provider was told, if it is not BASE-URL/hooks/NAME",
    )
    parser.add_argument(
        "--allow-host",
        metavar="HOST[:PORT]",
        action="append",
        default=[],
        help="a host in a private network that files may be fetched from",
    )
    parser.add_argument(
        "--who", metavar="ID", default="", help="of the patient in the app, for a token"
    )
    parser.add_argument(
        "--minutes",
        metavar="N",
        type=int,
        default=_MINUTES,
        help="for which a token is good (%(default)s)",
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell

    action, name = arguments.action, arguments.name
    if action == "list" and name is not None:
        raise Misuse("account list takes no name")
    if action != "list" and not (name or "").strip():
        raise Misuse(f"say which: threadwell account {action} NAME")
    with threadwell.open(arguments.store, create=action == "add") as tw:
        if action == "add":
            before = [one for one in tw.accounts() if one.name == name]
            made = _add(tw, arguments)
            _print_one(made, as_json=arguments.format == "json")
            if lost := [word for one in before for word in _lost(one, made)]:
                print(f"Not given again, so it is gone: {', '.join(lost)}", file=sys.stderr)
            if not made.addresses and _sends(made):
                print(
                    "It has no address of the practice, so replies are refused: set it up again, "
                    "with the same and --address NUMBER",
                    file=sys.stderr,
                )
        elif action == "list":
            _print_list(tw.accounts(), as_json=arguments.format == "json")
        elif action == "token":
            print(_token(tw, arguments))
        elif action == "show":
            _print_one(_named(tw, name), as_json=arguments.format == "json")
        else:
            tw.remove_account(_named(tw, name).name)
            print(f"{name} is forgotten: what it delivers is refused.")
    return 0


def _add(tw: Threadwell, arguments: Namespace) -> Account:
    from threadwell.app import live_channels

    channels = live_channels()
    channel = channels.get(arguments.channel or "")
    if channel is None or channel.live is None:
        named = f"{arguments.channel} is no channel that is heard live; " * bool(arguments.channel)
        live = " or ".join(name for name, one in channels.items() if one.live is not None)
        raise Misuse(f"{named}say which channel: --channel {live}")
    fields = {one.name: one for one in channel.live.fields}
    values = dict(_pair(text, fields, "--set") for text in arguments.set)
    for name in values:
        if fields[name].secret:
            raise Misuse(
                f"{name} is a secret: others see what stands in a command; give it by "
                f"--secret-file {name}=PATH or --secret-env {name}=VARIABLE"
            )
    for text in arguments.secret_file:
        name, path = _pair(text, fields, "--secret-file")
        values[name] = (sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")).strip()
    for text in arguments.secret_env:
        name, variable = _pair(text, fields, "--secret-env")
        given = os.getenv(variable)
        if given is None:
            raise Mistake(f"there is no {variable} in the environment")
        values[name] = given.strip()
    _ask(values, list(fields.values()))
    return tw.add_account(
        arguments.name,
        arguments.channel,
        values,
        addresses=arguments.address,
        hosts=arguments.allow_host,
        url=arguments.url,
    )


def _lost(before: Account, made: Account) -> list[str]:
    """What the account of that name had, and has no more: names of fields, addresses, hosts."""
    there = {one.key for one in made.addresses}
    return [
        *(one.value for one in before.addresses if one.key not in there),
        *(name for name, value in before.values.items() if value and not made.value(name)),
        *(one for one in before.hosts if one not in made.hosts),
        *(["url"] if before.url and not made.url else []),
    ]


def _sends(account: Account) -> bool:
    from threadwell.app import live_channels

    live = live_channels()[account.channel].live
    return live is not None and live.send is not None and not live.mute(account)


def _token(tw: Threadwell, arguments: Namespace) -> str:
    from threadwell.intake.bad_setting import BadSetting

    try:
        account = _named(tw, arguments.name)
        return tw.chat_token(account.name, arguments.who, minutes=arguments.minutes)
    except BadSetting as error:
        raise Mistake(str(error)) from None


def _pair(text: str, fields: dict[str, Field], option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in fields:
        raise Misuse(f"{option} is written FIELD=…, and FIELD is one of {', '.join(fields)}")
    return name, value


def _ask(values: dict[str, str], fields: Sequence[Field]) -> None:
    """Ask for what an account needs and nobody has given, where somebody can answer."""
    for field in fields:
        if field.required and not values.get(field.name) and sys.stdin.isatty():
            question = f"{field.name} ({field.about}): "
            values[field.name] = (getpass(question) if field.secret else input(question)).strip()


def _named(tw: Threadwell, name: str) -> Account:
    for account in tw.accounts():
        if account.name == name:
            return account
    raise Mistake(f"there is no account {name}: `threadwell account list` has those there are")


def _print_list(accounts: Sequence[Account], *, as_json: bool) -> None:
    if as_json:
        print_json([_shown(one) for one in accounts])
    elif accounts:
        rows = [[one.name, one.channel, _addresses(one), _path(one) or "-"] for one in accounts]
        print(table(["Name", "Channel", "Addresses", "Called at"], rows))
        print(f"\n{plural(len(accounts), 'account')}.")
    else:
        print("There are no accounts; `threadwell account add NAME` sets one up.")


def _print_one(account: Account, *, as_json: bool) -> None:
    shown = _shown(account)
    if as_json:
        print_json(shown)
        return
    rows = [
        ["Name", account.name],
        ["Channel", account.channel],
        ["Addresses", _addresses(account) or "-"],
        *([name, value] for name, value in shown["values"].items()),
        ["Called at", account.url or _path(account) or "- (nobody calls)"],
        *(["May be called", host] for host in account.hosts),
    ]
    print(table(["What", "Value"], rows))


def _shown(account: Account) -> dict[str, Any]:
    from threadwell.app import live_channels

    channel = live_channels().get(account.channel)
    known = channel.live.fields if channel and channel.live else ()
    open_ = {field.name for field in known if not field.secret}
    values = {
        name: value if name in open_ else _HIDDEN for name, value in account.values.items() if value
    }
    return {
        "name": account.name,
        "channel": account.channel,
        "addresses": [one.value for one in account.addresses],
        "values": values,
        "path": _path(account),
        "url": account.url,
        "hosts": list(account.hosts),
    }


def _path(account: Account) -> str:
    """The path at which its provider calls, ``""`` where none does."""
    from threadwell.app import live_channels

    channel = live_channels().get(account.channel)
    if channel and channel.live and not channel.live.called(account):
        return ""
    place = channel.live.place if channel and channel.live else "hooks"
    return f"/{place}/{account.name}"


def _addresses(account: Account) -> str:
    return ", ".join(one.value for one in account.addresses)


COMMAND = Command(
    name="account",
    summary="Set up accounts at providers, which deliver messages as they come",
    about="A secret is read from a file, the environment or the terminal, never from the command "
    "itself, and is shown nowhere again. The provider is then told to call /hooks/NAME of the "
    "server. An account is set up as a whole: what is not given again under its name is gone.",
    examples=(
        "threadwell account add desk --channel twilio --address +12125550100 "
        "--set account_sid=$ACCOUNT_SID",
        "threadwell account list",
        "threadwell account show desk",
        "threadwell account remove desk",
        "threadwell account token app --who patient-0017",
    ),
    add_arguments=add_arguments,
    run=run,
)

"""``threadwell provider``: outside identity providers by which people sign in."""

from __future__ import annotations

import os
import sys
import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadwell.cli.command import Command, add_action, add_format, add_store, add_url
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import print_json, table
from threadwell.shown import on_a_line

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.users.providers import Provider

_ACTIONS = {
    "set": "sign in by the provider NAME, or change how",
    "load": "the same for all that a TOML file says (NAME is the file)",
    "list": "the providers there are",
    "show": "one of them, without its secret",
    "test": "ask one what it says of itself, and for its keys",
    "remove": "sign in by NAME no more",
}
_LINKS = ("invited", "email", "create")


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("name", metavar="NAME", nargs="?", help="part of its URL here: entra")
    parser.add_argument("--issuer", metavar="URL", default="", help="as the provider writes it")
    parser.add_argument("--client-id", metavar="ID", default="", help="that the provider gave you")
    parser.add_argument(
        "--secret-file",
        metavar="FILE",
        default="",
        help="has the secret that it gave you; - is standard input, and without it you are asked",
    )
    parser.add_argument("--no-secret", action="store_true", help="the provider gave you no secret")
    parser.add_argument("--label", default="", help="what people call it: the button says so")
    parser.add_argument(
        "--domain",
        metavar="DOMAIN",
        action="append",
        default=[],
        help="of the e-mail addresses that may come by it; may be repeated",
    )
    parser.add_argument(
        "--link",
        choices=_LINKS,
        default="invited",
        help="how somebody who comes for the first time gets to an account: by the address of an "
        "open invitation (the default), by that of any account, or one is made",
    )
    parser.add_argument(
        "--trust-addresses",
        action="store_true",
        help="take its word for addresses of the domains, whether it says that they are verified",
    )
    parser.add_argument(
        "--role", metavar="ROLE", default="", help="of accounts that are made, without --map"
    )
    parser.add_argument(
        "--roles-claim", metavar="CLAIM", default="", help="where it says roles: groups"
    )
    parser.add_argument(
        "--map",
        metavar="VALUE=ROLE",
        action="append",
        default=[],
        help="which policy or role a value of that claim stands for; may be repeated",
    )
    parser.add_argument(
        "--scope",
        metavar="SCOPE",
        action="append",
        default=[],
        help="that it is asked for, in place of openid, email and profile; may be repeated",
    )
    parser.add_argument(
        "--required",
        action="store_true",
        help="addresses of the domains (all, where there are none) come in by it alone",
    )
    parser.add_argument(
        "--app",
        metavar="ID",
        action="append",
        default=[],
        help="a client id that it gave to an app of yours, which exchanges its tokens for ours; "
        "may be repeated",
    )
    parser.add_argument(
        "--audience",
        metavar="NAME",
        action="append",
        default=[],
        help="for whom access tokens of these apps may be, beside you and the provider: an API of "
        "yours; * for anybody. Whoever is sent one can sign in here with it. May be repeated",
    )
    parser.add_argument(
        "--allow-host",
        metavar="HOST[:PORT]",
        action="append",
        default=[],
        help="a host in a private network, or without https, that may be called",
    )
    add_url(parser)
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell
    from threadwell.access.reading import BadPolicy
    from threadwell.users.provider_calls import ProviderDown
    from threadwell.users.providers import BadProvider

    action = arguments.action
    if bool(arguments.name) != (action != "list"):
        named = "" if action == "list" else " FILE" if action == "load" else " NAME"
        raise Misuse(f"it is written: threadwell provider {action}{named}")
    try:
        with threadwell.open(arguments.store, create=action in ("set", "load")) as tw:
            _act(tw, arguments)
    except (BadProvider, BadPolicy, LookupError) as error:
        raise Mistake(str(error)) from None
    except ProviderDown as error:
        raise Mistake(f"{arguments.name} cannot be asked: {error}") from None
    return 0


def _act(tw: Threadwell, arguments: Namespace) -> None:
    as_json = arguments.format == "json"
    match arguments.action:
        case "list":
            _print_list(tw, as_json=as_json)
        case "set":
            made = tw.set_provider(arguments.name, **_told(arguments))
            _print_one(tw, made, arguments.url, as_json=as_json)
        case "load":
            for one in tw.set_providers(_file(arguments.name)):
                _print_one(tw, one, arguments.url, as_json=as_json)
        case "show":
            _print_one(tw, tw.provider(arguments.name), arguments.url, as_json=as_json)
        case "test":
            described = tw.ask_provider(arguments.name)
            print(f"{arguments.name} answers: people sign in at {described.authorize}.")
        case _:
            if not tw.remove_provider(arguments.name):
                raise Mistake(f"there is no provider {arguments.name}")
            print(f"Nobody signs in by {arguments.name} any more.")


def _told(arguments: Namespace) -> dict[str, Any]:
    roles = {}
    for one in arguments.map:
        value, equals, role = one.rpartition("=")
        if not (value and equals and role):
            raise Misuse("--map is written VALUE=ROLE, as in nurses=participant")
        roles[value] = role
    return {
        "label": arguments.label,
        "issuer": arguments.issuer,
        "client_id": arguments.client_id,
        "secret": "" if arguments.no_secret else _needed(_secret(arguments.secret_file)),
        "scopes": arguments.scope,
        "domains": arguments.domain,
        "link": arguments.link,
        "trusted": arguments.trust_addresses,
        "roles_claim": arguments.roles_claim,
        "roles": roles,
        "role": arguments.role,
        "required": arguments.required,
        "hosts": arguments.allow_host,
        "apps": arguments.app,
        "audiences": arguments.audience,
    }


def _needed(secret: str) -> str:
    if not secret:
        raise Mistake(
            "the secret is empty: --secret-file FILE has it, or --no-secret says there is none"
        )
    return secret


def _secret(path: str) -> str:
    if path == "-" or (not path and not sys.stdin.isatty()):
        return sys.stdin.readline().strip()
    if not path:
        return getpass("The secret that the provider gave you: ").strip()
    return _read(Path(path)).strip()


def _file(path: str) -> dict[str, dict[str, Any]]:
    """The providers of a file; ``secret_file`` and ``secret_env`` say where a secret is."""
    try:
        told = tomllib.loads(_read(Path(path)))
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{path} is no TOML: {error}") from None
    found = told.get("provider")
    if not isinstance(found, Mapping) or not all(isinstance(o, Mapping) for o in found.values()):
        raise Mistake(f"{path} has no [provider.NAME]")
    return {name: _with_secret(dict(one), Path(path).parent) for name, one in found.items()}


def _with_secret(told: dict[str, Any], folder: Path) -> dict[str, Any]:
    if isinstance(file := told.pop("secret_file", None), str):
        told["secret"] = _read(folder / file).strip()
    if isinstance(variable := told.pop("secret_env", None), str):
        given = os.getenv(variable)
        if given is None:
            raise Mistake(f"there is no {variable} in the environment")
        told["secret"] = given.strip()
    return told


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise Mistake(f"{path} cannot be read: {error}") from None


def _row(tw: Threadwell, one: Provider, url: str) -> dict[str, Any]:
    import msgspec

    told: dict[str, Any] = msgspec.to_builtins(one)
    told["secret"] = "(kept)" if one.secret else ""
    return {**told, "back": tw.back_url(one.name, url)}


def _print_one(tw: Threadwell, one: Provider, url: str, *, as_json: bool) -> None:
    row = _row(tw, one, url)
    if as_json:
        print_json(row)
        return
    for name, value in row.items():
        shown = value
        if isinstance(value, dict):
            shown = ", ".join(f"{key} = {role}" for key, role in value.items())
        elif isinstance(value, list | tuple):
            shown = ", ".join(value)
        elif isinstance(value, bool):
            shown = "yes" if value else "no"
        print(f"{name.replace('_', ' ').capitalize():12} {on_a_line(str(shown)) or '-'}")
    print(f"\nTell the provider this address to send people back to: {row['back']}")


def _print_list(tw: Threadwell, *, as_json: bool) -> None:
    found = tw.providers()
    if as_json:
        print_json([_row(tw, one, "") for one in found])
    elif found:
        rows = [
            [
                *(one.name, on_a_line(one.label), one.issuer, ", ".join(one.domains) or "any"),
                *(one.link, "yes" if one.required else "no"),
            ]
            for one in found
        ]
        print(table(["Name", "Label", "Issuer", "Domains", "Links", "Required"], rows))
    else:
        print("There are no providers; `threadwell provider set NAME` sets one up.")


COMMAND = Command(
    name="provider",
    summary="Sign in by an outside identity provider (OpenID Connect)",
    about="Microsoft Entra, Google, Okta, Keycloak and others. docs/signing-in.md tells step by "
    "step how one is set up. A running server goes by a change at once.",
    examples=(
        "threadwell provider set clinic --issuer https://id.example.org --client-id threadwell",
        "threadwell provider load providers.toml",
        "threadwell provider test entra",
    ),
    add_arguments=add_arguments,
    run=run,
)

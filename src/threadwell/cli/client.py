"""``threadwell client``: the programs that may use the API."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import plural, print_json, table
from threadwell.cli.variables import add_with, refused, variables

if TYPE_CHECKING:
    from threadwell.api.clients import Client, NewClient
    from threadwell.facade import Threadwell

_ACTIONS = {
    "add": "register a client called NAME",
    "list": "the clients there are",
    "show": "all that one was registered with, as JSON",
    "rotate": "give one a new secret; the old one and its tokens open nothing any more",
    "revoke": "end one's registration, and its tokens",
}


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="of a new client, for people; else its id or name"
    )
    parser.add_argument(
        "--policy", metavar="POLICY", default="", help="what a new client may do (add)"
    )
    parser.add_argument(
        "--as",
        dest="acts_as",
        metavar="REFERENCE",
        default="",
        help="whom it acts for, with --policy (Practitioner/…)",
    )
    add_with(parser, "what another variable of the policy stands for")
    parser.add_argument(
        "--redirect",
        metavar="URL",
        action="append",
        default=[],
        help="where people are led back to who sign in to a new app; may be repeated (add)",
    )
    parser.add_argument(
        "--scope",
        metavar="SCOPE",
        action="append",
        default=[],
        help="all that a new client may ask for (user/Communication.rs); may be repeated (add)",
    )
    parser.add_argument(
        "--jwks",
        metavar="FILE",
        default="",
        help="a file with the public keys of a new client that signs (a JWKS), or their URL (add)",
    )
    parser.add_argument(
        "--outside",
        action="store_true",
        help="a new app is not the practice's own: each person is asked what it may do (add)",
    )
    parser.add_argument(
        "--confidential",
        action="store_true",
        help="a new app has a server that keeps its secret, and must show it (add)",
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell

    action, name = arguments.action, arguments.name
    if action != "add" and (arguments.policy or arguments.acts_as or arguments.parameters):
        raise Misuse("--policy, --as and --with are for client add; else use `threadwell policy`")
    registered = arguments.redirect or arguments.scope or arguments.outside or arguments.jwks
    if action != "add" and (registered or arguments.confidential):
        raise Misuse("--redirect, --scope, --jwks, --outside and --confidential are for client add")
    if arguments.confidential and not arguments.redirect:
        raise Misuse("--confidential goes with --redirect")
    if arguments.acts_as and not arguments.policy:
        raise Misuse("--as goes with --policy")
    if arguments.parameters and not arguments.policy:
        raise Misuse("--with goes with --policy")
    if action == "list" and name is not None:
        raise Misuse("client list takes no name")
    if action != "list" and not (name or "").strip():
        raise Misuse(f"say which: threadwell client {action} NAME")
    with threadwell.open(arguments.store, create=action == "add") as tw:
        if action == "list":
            _print_list(tw, as_json=arguments.format == "json")
        elif action == "show":
            _print_client(named(tw, name))
        elif action == "add":
            _print_credentials(_added(tw, arguments))
        elif action == "rotate":
            _print_credentials(tw.rotate_client(named(tw, name).id))
        else:
            client = named(tw, name)
            tw.revoke_client(client.id)
            print(f"{client.name} ({client.id}) opens nothing any more.")
    return 0


def _added(tw: Threadwell, arguments: Namespace) -> NewClient:
    from threadwell.access.reading import BadPolicy
    from threadwell.api.clients import BadRegistration

    try:
        return tw.add_client(
            arguments.name,
            policy=arguments.policy,
            acts_as=arguments.acts_as,
            parameters=variables(arguments.parameters),
            redirect_uris=arguments.redirect,
            scopes=arguments.scope,
            outside=arguments.outside,
            confidential=arguments.confidential,
            **_keys(arguments.jwks),
        )
    except BadRegistration as error:
        raise Mistake(str(error)) from None
    except LookupError as error:
        raise Mistake(f"{error}; see `threadwell policy`") from None
    except BadPolicy as error:
        raise Mistake(refused(error)) from None


def _keys(where: str) -> dict[str, Any]:
    """The public keys of a file, or where they are to be fetched."""
    from threadwell.fhir.json import BadJson, decode

    if not where:
        return {}
    if "://" in where:
        return {"jwks_uri": where}
    try:
        return {"jwks": decode(Path(where).read_bytes())}
    except (OSError, BadJson) as error:
        raise Mistake(f"{where} cannot be read as a JWKS: {error}") from None


def named(tw: Threadwell, name: str) -> Client:
    """The client of that id, or the only one of that name."""
    clients = tw.clients()
    found = [client for client in clients if client.id == name]
    found = found or [client for client in clients if client.name == name]
    if not found:
        raise Mistake(f"there is no client {name}: `threadwell client list` has those there are")
    if len(found) > 1:
        ids = ", ".join(client.id for client in found)
        raise Mistake(f"{len(found)} clients are called {name}: give the id, {ids}")
    return found[0]


def _print_credentials(made: NewClient) -> None:
    # One that signs has no secret.
    secret = {"client_secret": made.client_secret} if made.client_secret else {}
    print_json({"client_id": made.client_id, **secret})


def _print_client(client: Client) -> None:
    import msgspec

    told = msgspec.to_builtins(client)
    for kept in ("secret_sha256", "generation", "project"):
        del told[kept]
    print_json({name: value for name, value in told.items() if value not in ("", None, [])})


def _print_list(tw: Threadwell, *, as_json: bool) -> None:
    from threadwell.fhir.stamp import instant

    clients, dates = tw.clients(), tw.dates
    times = [instant(client.created) if client.created else "" for client in clients]
    if as_json:
        print_json(
            [
                {"client_id": one.id, "name": one.name, "created": time, "admin": one.admin}
                for one, time in zip(clients, times, strict=True)
            ]
        )
    elif clients:
        rows = [
            [one.name, one.id, dates.text(time) or "-", "yes" if one.admin else "no"]
            for one, time in zip(clients, times, strict=True)
        ]
        print(table(["Name", "ID", "Since", "May register others"], rows))
        print(f"\n{plural(len(clients), 'client')}; times are in {dates.zone.key}.")
    else:
        print("There are no clients; `threadwell client add NAME` registers one.")


COMMAND = Command(
    name="client",
    summary="Register programs that may use the API, list them, end them",
    about="add and rotate print the id and the secret as JSON; one that signs (--jwks) has none. A "
    "secret is shown this once: the store keeps only a hash of it. A running server refuses what "
    "was rotated or revoked within a second.",
    examples=(
        "threadwell client add billing",
        "threadwell client add inbox --policy participant --as Practitioner/123",
        "threadwell client add portal --redirect https://portal.example.org/back",
        "threadwell client list",
        "threadwell client show portal",
        "threadwell client rotate billing",
        "threadwell client revoke 0d7c1a52-4a0e-4c4e-9a50-6a8a3d1b2f10",
    ),
    add_arguments=add_arguments,
    run=run,
)

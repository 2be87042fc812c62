"""``threadwell serve``: the FHIR API and the pages over HTTP."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from threadwell.app import BASE_URL_VARIABLE
from threadwell.cli.command import Command, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.numbers import port, positive
from threadwell.cli.output import paint
from threadwell.stores.urls import shown_store


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser, whole=True)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=port, default=8103, help="port to listen on; 0 takes a free one"
    )
    parser.add_argument(
        "--base-url",
        metavar="URL",
        default=os.environ.get(BASE_URL_VARIABLE) or None,
        help="where clients reach the server, if it stands behind a proxy "
        f"(default: ${BASE_URL_VARIABLE}, else where it listens)",
    )
    parser.add_argument(
        "--also-at",
        metavar="URL",
        action="append",
        default=[],
        help="another URL under which clients know the server, or knew it once: references to what"
        " is below it are to resources of its own, and the store keeps that; may be repeated",
    )
    parser.add_argument(
        "--workers",
        type=positive,
        default=1,
        metavar="N",
        help="processes to serve with, about one for each core (default: 1)",
    )
    parser.add_argument(
        "--max-in-flight",
        type=positive,
        default=1000,
        metavar="N",
        help="requests that one process works on at once; more are answered 503 (default: 1000)",
    )
    parser.add_argument(
        "--rate-limit",
        type=positive,
        default=0,
        metavar="N",
        help="requests of one client a minute; more are answered 429 (default: no limit)",
    )
    parser.add_argument(
        "--max-page",
        type=positive,
        default=32,
        metavar="MIB",
        help="mebibytes of matches with which a page of a search, a history or $everything ends"
        " early, and of what it includes (default: 32)",
    )
    parser.add_argument(
        "--as",
        dest="who",
        default="",
        metavar="PERSON",
        help="who signs in with the link that is printed (Practitioner/…, PractitionerRole/…)",
    )
    parser.add_argument(
        "--no-duties",
        action="store_true",
        help="do nothing that nobody has asked for: another process does (`threadwell duties`)",
    )
    parser.add_argument(
        "--mail",
        metavar="HOST:PORT",
        default="",
        help="take mails there, too, from a mail server over LMTP (default: not; `threadwell mail`"
        " has SMTP and TLS)",
    )


def run(arguments: Namespace) -> int:
    """Serve until Ctrl-C."""
    from threadwell.server import Ready, Serving, serve
    from threadwell.server.mail.place import parse_place
    from threadwell.users.settings import BadHashing, cost
    from threadwell.users.sources import BadProxies, proxies

    try:
        mail = parse_place(arguments.mail) if arguments.mail else None
    except ValueError as error:
        raise Mistake(f"--mail {error}") from None
    try:
        cost()
        proxies()
    except (BadHashing, BadProxies) as error:
        raise Mistake(str(error)) from None
    if arguments.who:
        _check_person(arguments.store, arguments.who)
    store = shown_store(arguments.store)

    def ready(it: Ready) -> None:
        print(f"Threadwell serves {store} on {paint(it.url, 'bold')}")
        print(f"  FHIR R4   {it.url}fhir/R4 (`threadwell client add NAME` makes a login)")
        print(f"  Pages     {it.sign_in_link}")
        print("            (signs one browser in, once, within 15 minutes)")
        if it.mail:
            print(f"  Mails     {it.mail} (LMTP, for a mail server)")
        print("Ctrl-C stops it.", flush=True)

    return serve(
        Serving(
            arguments.store,
            host=arguments.host,
            port=arguments.port,
            base_url=arguments.base_url,
            also_at=tuple(arguments.also_at),
            workers=arguments.workers,
            max_in_flight=arguments.max_in_flight,
            rate_limit=arguments.rate_limit,
            max_page=arguments.max_page * 1024 * 1024,
            duties=not arguments.no_duties,
            sign_in_as=arguments.who,
            mail=mail,
        ),
        ready,
    )


def _check_person(store: str, who: str) -> None:
    """Raises ``BadSetting`` for somebody who cannot sign in."""
    import threadwell

    with threadwell.open(store) as tw:
        tw.sign_in_link(who=who)


COMMAND = Command(
    name="serve",
    summary="Serve the FHIR API and the pages over HTTP",
    examples=(
        "threadwell serve --store sqlite:///practice.db --port 8103",
        "threadwell serve --as Practitioner/…",
        "threadwell serve --mail 127.0.0.1:8024",
        "threadwell serve --workers 4 --base-url https://threadwell.example.org",
        "threadwell serve --base-url https://new.example.org --also-at https://old.example.org",
    ),
    add_arguments=add_arguments,
    run=run,
)

"""``threadwell mail``: take mails from a mail server, over LMTP or SMTP."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from threadwell.cli.command import Command, add_store
from threadwell.cli.errors import Mistake

_MB = 1_000_000


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser, whole=True)
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:8024",
        help="where the mail server connects (default: 127.0.0.1:8024)",
    )
    parser.add_argument(
        "--smtp", action="store_true", help="speak SMTP, for a server that has no LMTP"
    )
    parser.add_argument(
        "--most", metavar="MB", type=int, default=50, help="how large a mail may be (default: 50)"
    )
    parser.add_argument(
        "--certificate", metavar="FILE", type=Path, help="offer TLS with this (PEM)"
    )
    parser.add_argument("--key", metavar="FILE", type=Path, help="the key, if it is not beside it")
    parser.add_argument(
        "--require-tls", action="store_true", help="take nothing over a connection without TLS"
    )


def run(arguments: Namespace) -> int:
    """Take mails until Ctrl-C."""
    from threadwell.server import logs
    from threadwell.server.mail.place import parse_place
    from threadwell.server.mail.running import take_mails

    if not 1 <= arguments.most <= 200:
        raise Mistake("--most is 1 to 200")
    if arguments.certificate is None and (arguments.key or arguments.require_tls):
        raise Mistake("TLS needs a --certificate")
    try:
        place = parse_place(arguments.listen, lmtp=not arguments.smtp, most=arguments.most * _MB)
    except ValueError as error:
        raise Mistake(f"--listen {error}") from None
    place = replace(
        place,
        certificate=arguments.certificate,
        key=arguments.key,
        must_tls=arguments.require_tls,
    )
    logs.configure("mail")
    try:
        return take_mails(arguments.store, place, _tell)
    except OSError as error:
        raise Mistake(f"{arguments.listen}: {error.strerror or 'no certificate'}") from None


def _tell(sentence: str) -> None:
    print(f"{sentence}\nCtrl-C stops it.", flush=True)


COMMAND = Command(
    name="mail",
    summary="Take mails from a mail server over LMTP or SMTP",
    about="Mails to the addresses of accounts of `provider=lmtp` are kept durably before they are "
    "acknowledged, and taken in by the duty `journal`. Mails to anybody else are refused; nothing "
    "is passed on.",
    examples=(
        "threadwell mail",
        "threadwell mail --listen 127.0.0.1:2525 --smtp --most 25",
    ),
    add_arguments=add_arguments,
    run=run,
)

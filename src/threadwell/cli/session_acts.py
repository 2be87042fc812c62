"""``threadwell open-session``, ``close`` and ``reopen``: what a person does to sessions."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_by, add_format, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.output import print_json

if TYPE_CHECKING:
    from threadwell.intake import Acted

_SESSION = "Encounter/607e4aea-9c17-5861-a4f6-d0655e9e2f3a"


def _add_opening(parser: ArgumentParser) -> None:
    parser.add_argument(
        "patients", metavar="PATIENT", nargs="*", help="for whom: Patient/… or the id"
    )
    parser.add_argument(
        "--thread", metavar="HEADER", default="", help="in that thread only (Communication/…)"
    )
    _add_who(parser)


def _add_session(parser: ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="Encounter/… or the id")
    _add_who(parser)


def _add_who(parser: ArgumentParser) -> None:
    add_by(parser)
    parser.add_argument("--why", metavar="TEXT", default="", help="the reason")
    add_store(parser)
    add_format(parser)


def _open(arguments: Namespace) -> int:
    import threadwell

    if not arguments.patients and not arguments.thread:
        raise Mistake("say for whom, or --thread")
    with threadwell.open(arguments.store, create=False) as tw:
        done = tw.open_session(
            arguments.patients, thread=arguments.thread, by=arguments.by, why=arguments.why
        )
    return _tell(arguments, done, "is open already")


def _close(arguments: Namespace) -> int:
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        done = tw.close_session(arguments.session, by=arguments.by, why=arguments.why)
    return _tell(arguments, done, "is closed already")


def _reopen(arguments: Namespace) -> int:
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        done = tw.reopen_session(arguments.session, by=arguments.by, why=arguments.why)
    return _tell(arguments, done, "is open already")


def _tell(arguments: Namespace, done: Acted, nothing: str) -> int:
    if arguments.format == "json":
        print_json({"session": done.session, "status": done.status, "act": done.act})
    else:
        print(f"{done.session} {f'is {done.status}' if done.act else nothing}")
    return 0


OPEN = Command(
    name="open-session",
    summary="Open a session for patients, or in a thread: their next message joins it",
    about="Where one of theirs is open, it is that one. A Task records who has opened it.",
    examples=(
        "threadwell open-session Patient/3f0b1c52-6a35-5d0c-9a53-2f4b8a6b7c11 --by 'Nils Berg'",
        "threadwell open-session --thread Communication/86e2b29e-b27d-58ef-aeb5-26699f202df7",
    ),
    add_arguments=_add_opening,
    run=_open,
)
CLOSE = Command(
    name="close",
    summary="Close a session",
    about="What is written later that day, or in that thread, opens it again; where silence or "
    "keywords end sessions, it is none of this one. A Task records who has closed it.",
    examples=(f"threadwell close {_SESSION} --by 'Nils Berg'",),
    add_arguments=_add_session,
    run=_close,
)
REOPEN = Command(
    name="reopen",
    summary="Open a closed session again",
    about="Until somebody closes it, or a silence. What has been billed stays closed.",
    examples=(f"threadwell reopen {_SESSION} --why 'One more question'",),
    add_arguments=_add_session,
    run=_reopen,
)

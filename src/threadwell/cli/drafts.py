"""``threadwell draft``: what somebody is writing, kept until it is sent or thrown away."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Misuse
from threadwell.cli.output import print_json
from threadwell.shown import on_a_line


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "thread",
        metavar="THREAD",
        nargs="?",
        default="",
        help="the thread to write in: its header, a message of it, or Encounter/… of its session",
    )
    parser.add_argument("text", metavar="TEXT", nargs="?", default="", help="what to keep")
    parser.add_argument(
        "--as", dest="sender", metavar="WHO", default="", help="who writes: Practitioner/…"
    )
    parser.add_argument("--change", metavar="DRAFT", default="", help="the draft to write anew")
    parser.add_argument("--send", metavar="DRAFT", default="", help="send a draft")
    parser.add_argument("--discard", metavar="DRAFT", default="", help="throw a draft away")
    add_store(parser)
    add_format(parser)


def _run(arguments: Namespace) -> int:
    import threadwell

    with threadwell.open(arguments.store, create=False) as tw:
        if arguments.send:
            done = tw.send_draft(arguments.send)
            _tell(arguments, done.message, f"is to be sent by {done.account}")
        elif arguments.discard:
            tw.discard_draft(arguments.discard)
            _tell(arguments, arguments.discard, "is thrown away")
        elif not arguments.sender:
            raise Misuse("say who writes: --as Practitioner/…")
        elif arguments.text:
            kept = tw.save_draft(
                arguments.thread,
                arguments.text,
                sender=arguments.sender,
                draft=arguments.change,
            )
            _tell(arguments, kept, "is kept")
        else:
            found = tw.drafts(arguments.sender, arguments.thread)
            if arguments.format == "json":
                print_json(found)
            for one in found if arguments.format != "json" else ():
                words = " ".join(part.get("contentString", "") for part in one.get("payload", ()))
                print(f"Communication/{one['id']}  {on_a_line(words)}")
    return 0


def _tell(arguments: Namespace, draft: str, what: str) -> None:
    if arguments.format == "json":
        print_json({"message": draft})
    else:
        print(f"{draft} {what}")


COMMAND = Command(
    name="draft",
    summary="Keep a draft, send or discard it; without a text, list those of a person",
    about="A draft is no message: it is in no session, and nobody but its writer is shown it.",
    examples=(
        "threadwell draft Communication/86e2b29e-b27d-58ef-aeb5-26699f202df7 'Three' "
        "--as Practitioner/ana",
        "threadwell draft --as Practitioner/ana",
        "threadwell draft --send Communication/1f6d3c0a-52b7-4d0e-9b6e-5a7f6a0f9c11",
    ),
    add_arguments=_add_arguments,
    run=_run,
)

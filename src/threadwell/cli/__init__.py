"""The ``threadwell`` command: one module a subcommand, listed in ``NAMES``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import cast

from threadwell.audit.way import WAY
from threadwell.cli.beside import told_if_made
from threadwell.cli.command import Command
from threadwell.cli.errors import run_safely
from threadwell.cli.parser import build_parser
from threadwell.cli.streams import guarded_streams
from threadwell.intake.collecting import rare_collections
from threadwell.projects.chosen import CHOSEN

#: In the order of ``threadwell --help``: which module has a command, and by what name. Whoever
#: calls one loads no other.
NAMES = {
    "import": ("import_", "COMMAND"),
    "backfill": ("backfill", "COMMAND"),
    "watch": ("watch", "COMMAND"),
    "mail": ("mail", "COMMAND"),
    "sessions": ("sessions", "COMMAND"),
    "reviews": ("reviews", "COMMAND"),
    "answer": ("answer", "COMMAND"),
    "about": ("about", "COMMAND"),
    "reply": ("reply", "COMMAND"),
    "draft": ("drafts", "COMMAND"),
    "retract": ("taking_back", "RETRACT"),
    "correct": ("taking_back", "CORRECT"),
    "thread": ("thread", "COMMAND"),
    "read": ("receipts", "COMMAND"),
    "outbox": ("outbox", "COMMAND"),
    "deliveries": ("deliveries", "COMMAND"),
    "todos": ("todos", "COMMAND"),
    "saved": ("saved", "COMMAND"),
    "rules": ("rules", "COMMAND"),
    "ig": ("ig", "COMMAND"),
    "open-session": ("session_acts", "OPEN"),
    "close": ("session_acts", "CLOSE"),
    "reopen": ("session_acts", "REOPEN"),
    "quarantine": ("quarantine", "COMMAND"),
    "replay": ("replay", "COMMAND"),
    "same": ("same", "COMMAND"),
    "preview": ("preview", "COMMAND"),
    "recut": ("recut", "COMMAND"),
    "verify": ("verify", "COMMAND"),
    "zones": ("zones", "COMMAND"),
    "serve": ("serve", "COMMAND"),
    "duties": ("duties", "COMMAND"),
    "index": ("index", "COMMAND"),
    "sign-in": ("sign_in", "COMMAND"),
    "project": ("project", "COMMAND"),
    "client": ("client", "COMMAND"),
    "keys": ("keys", "COMMAND"),
    "user": ("user", "COMMAND"),
    "provider": ("provider", "COMMAND"),
    "policy": ("policy", "COMMAND"),
    "allow": ("allow", "COMMAND"),
    "account": ("account", "COMMAND"),
    "subscriptions": ("subscriptions", "COMMAND"),
    "audit": ("audit", "COMMAND"),
    "backup": ("backup", "COMMAND"),
    "copy": ("copy", "COMMAND"),
    "export": ("export", "COMMAND"),
    "load": ("load", "COMMAND"),
    "view": ("view", "COMMAND"),
    "get": ("get", "COMMAND"),
    "post": ("post", "COMMAND"),
    "put": ("put", "COMMAND"),
    "patch": ("patch", "COMMAND"),
    "delete": ("delete", "COMMAND"),
    "expunge": ("expunge", "COMMAND"),
}


def commands(words: Sequence[str] = ()) -> tuple[Command, ...]:
    """The one that ``words`` begin with; all of them where they begin with none."""
    chosen = words[:1] if words and words[0] in NAMES else NAMES
    return tuple([_command(*NAMES[name]) for name in chosen])


def _command(module: str, attribute: str) -> Command:
    return cast(Command, getattr(import_module(f"{__name__}.{module}"), attribute))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (0 done, 1 it did not go well, 2 wrong usage)."""
    with rare_collections(), guarded_streams():
        words = sys.argv[1:] if argv is None else argv
        parser = build_parser(commands(words), words)
        if not words:
            parser.print_help(sys.stderr)
            return 2
        try:
            arguments = parser.parse_args(words)
        except SystemExit as stop:  # argparse has said what is wrong, or has printed the help
            return int(stop.code or 0)
        chosen = CHOSEN.set(getattr(arguments, "project", ""))
        token = WAY.set(f"command {arguments.command}")
        try:
            with told_if_made(getattr(arguments, "store", None)):
                return run_safely(arguments.run, arguments)
        finally:
            WAY.reset(token)
            CHOSEN.reset(chosen)

"""The ``threadwell`` command: one module a subcommand, listed in ``COMMANDS``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from threadwell.audit.way import WAY
from threadwell.cli import (
    about,
    account,
    allow,
    answer,
    audit,
    backfill,
    backup,
    client,
    copy,
    delete,
    deliveries,
    drafts,
    duties,
    export,
    expunge,
    get,
    ig,
    import_,
    index,
    keys,
    load,
    mail,
    outbox,
    patch,
    policy,
    post,
    preview,
    project,
    provider,
    put,
    quarantine,
    receipts,
    recut,
    replay,
    reply,
    reviews,
    rules,
    same,
    saved,
    serve,
    session_acts,
    sessions,
    sign_in,
    subscriptions,
    taking_back,
    thread,
    todos,
    user,
    verify,
    view,
    watch,
    zones,
)
from threadwell.cli.command import Command
from threadwell.cli.errors import run_safely
from threadwell.cli.parser import build_parser
from threadwell.cli.streams import guarded_streams
from threadwell.projects.chosen import CHOSEN

#: In the order of ``threadwell --help``.
COMMANDS: tuple[Command, ...] = (
    import_.COMMAND,
    backfill.COMMAND,
    watch.COMMAND,
    mail.COMMAND,
    sessions.COMMAND,
    reviews.COMMAND,
    answer.COMMAND,
    about.COMMAND,
    reply.COMMAND,
    drafts.COMMAND,
    taking_back.RETRACT,
    taking_back.CORRECT,
    thread.COMMAND,
    receipts.COMMAND,
    outbox.COMMAND,
    deliveries.COMMAND,
    todos.COMMAND,
    saved.COMMAND,
    rules.COMMAND,
    ig.COMMAND,
    session_acts.OPEN,
    session_acts.CLOSE,
    session_acts.REOPEN,
    quarantine.COMMAND,
    replay.COMMAND,
    same.COMMAND,
    preview.COMMAND,
    recut.COMMAND,
    verify.COMMAND,
    zones.COMMAND,
    serve.COMMAND,
    duties.COMMAND,
    index.COMMAND,
    sign_in.COMMAND,
    project.COMMAND,
    client.COMMAND,
    keys.COMMAND,
    user.COMMAND,
    provider.COMMAND,
    policy.COMMAND,
    allow.COMMAND,
    account.COMMAND,
    subscriptions.COMMAND,
    audit.COMMAND,
    backup.COMMAND,
    copy.COMMAND,
    export.COMMAND,
    load.COMMAND,
    view.COMMAND,
    get.COMMAND,
    post.COMMAND,
    put.COMMAND,
    patch.COMMAND,
    delete.COMMAND,
    expunge.COMMAND,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (0 done, 1 it did not go well, 2 wrong usage)."""
    with guarded_streams():
        words = sys.argv[1:] if argv is None else argv
        parser = build_parser(COMMANDS, words)
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
            return run_safely(arguments.run, arguments)
        finally:
            WAY.reset(token)
            CHOSEN.reset(chosen)

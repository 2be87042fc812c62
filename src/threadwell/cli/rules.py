"""``threadwell rules``: what happens by itself, and what has."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import plural, print_json, table

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.inbox.dates import Dates
    from threadwell.intake.rulebook.ruleset import RuleSet
    from threadwell.intake.rules.runs import Run
    from threadwell.intake.rules.trying import Would

_ACTIONS = {
    "list": "the rules there are",
    "check": "whether FILE is right",
    "try": "what FILE would have done with what is stored; nothing is done",
    "set": "keep the rules of FILE",
    "show": "the file as it was set",
    "drop": "have no rules any more",
    "runs": "what rules have done",
}
_WITH_FILE = ("check", "try", "set")


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("file", metavar="FILE", nargs="?", help="a file of rules (TOML)")
    parser.add_argument("--rule", metavar="NAME", default="", help="runs: those of that rule")
    parser.add_argument(
        "--thread", metavar="HEADER", default="", help="runs: those that concern that thread"
    )
    parser.add_argument(
        "--days", metavar="N", type=int, default=0, help="try: with the last N days alone"
    )
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell

    action = arguments.action
    if (action in _WITH_FILE) != bool(arguments.file):
        wants = f"say which file: threadwell rules {action} FILE"
        raise Misuse(wants if action in _WITH_FILE else f"rules {action} takes no file")
    writes = action in ("set", "drop")
    with threadwell.open(arguments.store, create=action == "set", read_only=not writes) as tw:
        return _do(tw, arguments)


def _do(tw: Threadwell, arguments: Namespace) -> int:
    as_json = arguments.format == "json"
    match arguments.action:
        case "check":
            _print_rules(tw.check_rules(_text(arguments.file)), as_json=as_json)
        case "set":
            _print_rules(tw.set_rules(_text(arguments.file)), as_json=as_json)
        case "try":
            days = arguments.days
            since = datetime.now(UTC) - timedelta(days=days) if days else None
            found = tw.try_rules(_text(arguments.file), since=since)
            _print_tried(found, tw.dates, as_json=as_json)
        case "show":
            print(tw.rules_text(), end="")
        case "drop":
            print("There are no rules any more." if tw.drop_rules() else "There were no rules.")
        case "runs":
            runs = tw.rule_runs(rule=arguments.rule, thread=arguments.thread)
            _print_runs(runs, tw.dates, as_json=as_json)
        case _:
            _print_rules(tw.rules(), as_json=as_json)
    return 0


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except UnicodeDecodeError:
        raise Mistake(f"{path} is not written in UTF-8") from None


def _print_rules(rules: RuleSet | None, *, as_json: bool) -> None:
    from threadwell.intake.rules.trying import planned

    each = rules.rules if rules else ()
    if as_json:
        print_json(
            [{"name": one.name, "event": one.event, "then": [*planned(one.then)]} for one in each]
        )
    elif each:
        rows = [[one.name, one.event, "; ".join(planned(one.then))] for one in each]
        print(table(["Rule", "When", "Then"], rows))
        print(f"\n{plural(len(each), 'rule')}.")
    else:
        print("There are no rules; `threadwell rules set FILE` sets some.")


def _print_tried(found: Sequence[Would], dates: Dates, *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in found])
        return
    if found:
        rows = [[dates.text(one.at), one.rule, one.about, "; ".join(one.done)] for one in found]
        print(table(["When", "Rule", "About", "Would"], rows))
        print()
    print(f"{plural(len(found), 'run')}; nothing was done.")


def _print_runs(runs: Sequence[Run], dates: Dates, *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(one) for one in runs])
    elif runs:
        rows = [
            [dates.text(one.recorded), one.rule, one.about[0] if one.about else "-", _done(one)]
            for one in runs
        ]
        print(table(["When", "Rule", "About", "Done"], rows))
        print(f"\n{plural(len(runs), 'run')}; times are in {dates.zone.key}.")
    else:
        print("No rule has run.")


def _done(run: Run) -> str:
    return "; ".join(run.done) or "nothing"


COMMAND = Command(
    name="rules",
    summary="Say what happens by itself, and see what has",
    about="A rule tells when (a message comes, waits too long, a thread is opened, a session "
    "closed), unless, and what then. Each run is an AuditEvent. docs/rules.md tells of the file.",
    examples=(
        "threadwell rules check rules.toml",
        "threadwell rules try rules.toml --days 30",
        "threadwell rules set rules.toml",
        "threadwell rules runs --rule out-of-hours",
    ),
    add_arguments=add_arguments,
    run=run,
)

"""``threadwell verify``: does what is in a store keep the pattern?"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections import Counter
from dataclasses import asdict

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.output import paint, plural, print_json, table
from threadwell.cli.progress import Progress


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """List what does not keep the pattern; 1 if any of it is an error."""
    import threadwell

    with threadwell.open(arguments.store, read_only=True) as tw, Progress() as progress:
        findings, sessions = tw.verify(checked=progress.checked), tw.count_sessions()
    severities = Counter(finding.severity for finding in findings)
    if arguments.format == "json":
        print_json([asdict(finding) for finding in findings])
    elif findings:
        rows = [[one.severity, one.resource, one.rule, one.text] for one in findings]
        print(table(["Severity", "Resource", "Rule", "What is wrong"], rows))
        counted = (
            f"{plural(severities['error'], 'error')}, {plural(severities['warning'], 'warning')}"
        )
        print(f"\n{counted}; {plural(sessions, 'session')}.")
    else:
        print(f"{paint('✓', 'green')} Everything keeps the pattern: {plural(sessions, 'session')}.")
    return 1 if severities["error"] else 0


COMMAND = Command(
    name="verify",
    summary="Check that headers, children, encounters, links and participants keep the pattern",
    about="Prints what does not, and then ends with exit code 1. Warnings alone do not.",
    examples=("threadwell verify", "threadwell verify --format json --store sqlite:///practice.db"),
    add_arguments=add_arguments,
    run=run,
)

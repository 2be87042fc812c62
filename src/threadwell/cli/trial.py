"""What a dry run would have done, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from threadwell.channels.called import called
from threadwell.cli.output import paint, plural, table
from threadwell.cli.whys import why_text

if TYPE_CHECKING:
    from threadwell.inbox.dates import Dates
    from threadwell.intake import Outcome, TriedHeld, TriedSession

#: Lines of each table: the whole of it is in the JSON.
_MOST = 100


def print_outcome(outcome: Outcome, dates: Dates) -> None:
    """The sessions that would be made, changed and superseded, and what would be held, and why."""
    for title, sessions in (
        ("Sessions that would be made", outcome.made),
        ("Sessions that would change", outcome.changed),
        ("Sessions that would be superseded", outcome.superseded),
    ):
        if sessions:
            _print_sessions(title, sessions, dates)
    if outcome.held:
        _print_held(outcome.held, dates)
    counts = [
        f"{plural(len(outcome.made), 'session')} would be made",
        f"{len(outcome.changed):,} changed",
        f"{len(outcome.superseded):,} superseded",
        f"{outcome.unchanged:,} would stay as they are",
    ]
    billed = f", of which {outcome.billed:,} because they were billed" if outcome.billed else ""
    print(f"{', '.join(counts)}{billed}; times are in {dates.zone.key}.")
    print(paint("Nothing was written: this was a dry run.", "yellow"))


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    """The same for programs."""
    return {
        "made": [asdict(one) for one in outcome.made],
        "changed": [asdict(one) for one in outcome.changed],
        "superseded": [asdict(one) for one in outcome.superseded],
        "unchanged": outcome.unchanged,
        "billed": outcome.billed,
        "held": [
            {
                "reason": one.reason,
                "text": one.text,
                "channel": one.channel,
                "sent": one.sent,
                "addresses": [address.value for address in one.addresses],
            }
            for one in outcome.held
        ],
    }


def in_zone(name: str, country: str) -> Dates:
    """Days and times of a zone that is only asked for."""
    from threadwell import zones
    from threadwell.inbox.dates import Dates

    return Dates(zones.current().data.zone(name or "UTC").info, country or "US")


def _print_sessions(title: str, sessions: Sequence[TriedSession], dates: Dates) -> None:

    rows = [
        [
            " & ".join(one.names) or ("(to review)" if one.to_review else "(no patient)"),
            ", ".join(called(way) for way in one.ways) or "-",
            dates.text(one.start) or "-",
            dates.text(one.end) or "-",
            str(one.messages),
            one.status,
            one.topic or "-",
            why_text(one.why),
        ]
        for one in sessions[:_MOST]
    ]
    head = ["Patient", "Channel", "First message", "Last message", "Messages", "Status", "Topic"]
    head.append("Why")
    _print_table(title, head, rows, len(sessions))


def _print_held(held: Sequence[TriedHeld], dates: Dates) -> None:
    from threadwell.inbox.names import address_text

    groups: dict[tuple[str, str, frozenset[str]], list[TriedHeld]] = {}
    for one in held:
        who = frozenset(address.value for address in one.addresses)
        groups.setdefault((one.way, one.text, who), []).append(one)
    rows = []
    for those in list(groups.values())[:_MOST]:
        first = those[0]
        named = {to.value: address_text(to.value, to.display) for to in first.addresses}
        times = sorted(filter(None, (one.sent for one in those)))
        row = [
            f"{len(those):,}",
            called(first.way),
            dates.text(times[0]) if times else "-",
            ", ".join(named.values()) or "-",
            first.text,
        ]
        rows.append(row)
    head = ["Messages", "Channel", "First sent", "Who", "Why"]
    _print_table("Messages that would be held", head, rows, len(groups))


def _print_table(title: str, head: list[str], rows: list[list[str]], number: int) -> None:
    print(f"{paint(title, 'bold')}")
    print(table(head, rows))
    if number > len(rows):
        print(f"… and {number - len(rows):,} more: --format json has all of them")
    print()

"""The options that importing, replaying and cutting anew share: who is who, what is a session."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any


def add_who(parser: ArgumentParser) -> None:
    """Who has which address."""
    parser.add_argument(
        "--people",
        metavar="FILE",
        type=Path,
        help="who has which address: a CSV file or a FHIR Bundle",
    )
    parser.add_argument(
        "--owner",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="a phone number or mail address of the practice itself; may be repeated",
    )
    parser.add_argument(
        "--country",
        metavar="CODE",
        default="",
        help="country of the practice, such as GB: of phone numbers and dates that do not tell "
        "theirs, and how days and times are shown (default: as kept, else US)",
    )
    parser.add_argument(
        "--unknown",
        choices=["quarantine", "patient"],
        default="quarantine",
        help="messages of unknown senders wait in quarantine, or each sender becomes a Patient",
    )


def who(arguments: Namespace) -> dict[str, Any]:
    """What those options say, as the facade takes it."""
    return {name: getattr(arguments, name) for name in ("people", "unknown", "owner", "country")}


def add_columns(parser: ArgumentParser) -> None:
    """What tables of others call their columns."""
    group = parser.add_argument_group("tables of other systems (CSV)")
    group.add_argument(
        "--columns",
        metavar="OURS=THEIRS",
        action="append",
        default=[],
        help="what a table calls one of our columns, such as sent=created_at; channel=:spruce is a "
        "value of all rows; may be repeated",
    )
    group.add_argument(
        "--set-aside",
        metavar="COLUMN=VALUE",
        action="append",
        default=[],
        help="rows with that value are no messages, such as type=INTERNAL_NOTE; may be repeated",
    )


def columns(arguments: Namespace) -> dict[str, Any]:
    """What those options say, as an import takes it."""
    return {"columns": tuple(arguments.columns), "set_aside": tuple(arguments.set_aside)}


def add_sessions(parser: ArgumentParser) -> None:
    """Which messages make one session."""
    group = parser.add_argument_group("which messages make one session (the store keeps it)")
    group.add_argument(
        "--zone",
        metavar="IANA",
        help="care time zone, such as America/New_York (default: as kept, else days of UTC)",
    )
    group.add_argument(
        "--policy",
        metavar="NAME",
        help="per-thread, per-day, inactivity-gap or explicit (default: as kept, else per-day)",
    )
    group.add_argument(
        "--scope",
        choices=["thread", "patient"],
        help="a session spans one thread, or all threads of a patient "
        "(default: as kept, else thread)",
    )
    group.add_argument(
        "--gap",
        metavar="TIME",
        help="the silence that ends an inactivity-gap or explicit session "
        "(default: as kept, else 24h)",
    )
    group.add_argument(
        "--open-keyword",
        metavar="WORD",
        action="append",
        default=[],
        help="a message that begins with it opens an explicit session; may be repeated",
    )
    group.add_argument(
        "--close-keyword",
        metavar="WORD",
        action="append",
        default=[],
        help="a message that begins with it closes an explicit session; may be repeated",
    )


def sessions(arguments: Namespace) -> dict[str, Any]:
    """What those options say, as the facade takes it."""
    return {
        "zone": arguments.zone,
        "policy": arguments.policy,
        "scope": arguments.scope,
        "gap": arguments.gap,
        "opening": tuple(arguments.open_keyword),
        "closing": tuple(arguments.close_keyword),
    }

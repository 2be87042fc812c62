"""``--with NAME=VALUE``: what a variable of a policy stands for."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable

from threadwell.cli.errors import Misuse

#: What is written for the variables of the ready-made roles.
_EXAMPLES = {"patient": "Patient/…"}


def add_with(parser: ArgumentParser, help_: str) -> None:
    """The option; it may be repeated."""
    parser.add_argument(
        "--with",
        dest="parameters",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help=f"{help_} (patient=Patient/…); may be repeated",
    )


def refused(error: Exception) -> str:
    """Why a policy or a role was not given; where it needs to be told more, how that is said."""
    from threadwell.access.memberships import Untold

    if not isinstance(error, Untold):
        return str(error)
    options = " ".join(f"--with {name}={_EXAMPLES.get(name, 'VALUE')}" for name in error.names)
    return f"{error}: add {options}"


def variables(given: Iterable[str]) -> dict[str, str]:
    """The values by their names. Raises ``Misuse`` for what is not written so."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not (name and equals and value):
            raise Misuse("--with is written NAME=VALUE, as in patient=Patient/123")
        found[name] = value
    return found

"""Writes docs/reference/: the pages that the program itself knows best.

The same program gives the same pages on every machine; `make docs` fails where they are not what
this script would write.
"""

from __future__ import annotations

import inspect
import re
from argparse import Action as Argument
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap

from guide_reference import guide_page
from python_reference import python_page
from threadwell.api.chat.bodies import MOST_JSON
from threadwell.api.chat.following import MOST as MOST_SOCKETS
from threadwell.api.chat.following import MOST_OF_ONE
from threadwell.api.context import MAX_BODY
from threadwell.api.load.gate import LARGE, MAX_HELD
from threadwell.api.load.limits import MAX_IN_FLIGHT, MAX_PAGE
from threadwell.api.rest.everything import MAX_RESOURCES
from threadwell.api.rest.room import MAX_ANSWERS, MAX_ENTRIES
from threadwell.api.signer import LIFE as URL_LIFE
from threadwell.app import BASE_URL_VARIABLE, DEFAULT_BASE_URL, SPOOL_VARIABLE
from threadwell.channels.chat.posted import MOST_FILES
from threadwell.channels.reading import KEPT_BYTES
from threadwell.cli import commands
from threadwell.cli.command import DEFAULT_STORE, PROJECT_VARIABLE, STORE_VARIABLE, Command
from threadwell.cli.parser import build_parser
from threadwell.facade import Threadwell
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.definitions.search_parameters import SearchParameter, search_parameters
from threadwell.fhir.search.extract import unsearchable
from threadwell.fhir.search.filter_expression import FILTER
from threadwell.fhir.search.filters import MAX_BREADTH, MAX_LINKS
from threadwell.fhir.search.parse import (
    DEFAULT_COUNT,
    MAX_ALTERNATIVES,
    MAX_COUNT,
    MAX_FILTERS,
    MAX_LOOKED_UP,
    MAX_OFFSET,
)
from threadwell.intake.chat.files import MOST_BYTES as MOST_OF_ONE_FILE
from threadwell.intake.chat.files import MOST_WAITING as MOST_UPLOADED
from threadwell.intake.chat.posting import MOST_TEXT
from threadwell.logins.login import LIFE as TOKEN_LIFE
from threadwell.server.connection import MAX_WAITING
from threadwell.server.heads import MAX_HEAD
from threadwell.stores.including import MAX_INCLUDED
from threadwell.stores.natural import NATURAL
from threadwell.stores.sealing import SECRETS_FILE_VARIABLE, SECRETS_VARIABLE
from threadwell.users.settings import DEFAULT_PROXIES, HASHING_VARIABLE, PROXIES_VARIABLE
from threadwell.zones.sources import ZONE_DATA_VARIABLE

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"

_GENERATED = "<!-- Written by scripts/make_docs.py: change that, or the program. -->"

#: Every environment variable that Threadwell reads.
ENVIRONMENT = {
    STORE_VARIABLE: f"the store of a command without `--store`; `{DEFAULT_STORE}` if it is not set",
    PROJECT_VARIABLE: "the project of a command without `--project`, by name or id; the first"
    " one if it is not set",
    BASE_URL_VARIABLE: "where clients reach the server of the store, and so where links lead: those"
    " of `threadwell serve` and `sign-in` without `--base-url` and `--url`, in what `threadwell"
    f" get` and its kin print, and in Python. If it is not set, `{DEFAULT_BASE_URL}`; for `serve`,"
    " where it listens; for `sign-in`, where the server that runs on the store says it is",
    ZONE_DATA_VARIABLE: "a folder of time zone data to take instead of the newer one of the"
    " machine's and the package's; it must tell its release",
    HASHING_VARIABLE: "what a password's Argon2id hash costs: KiB of memory, passes, lanes;"
    " `m=19456,t=2,p=1` if it is not set",
    PROXIES_VARIABLE: "addresses and networks of proxies whose `X-Forwarded-For` is believed, with"
    f" commas; `{DEFAULT_PROXIES}` if it is not set",
    SECRETS_FILE_VARIABLE: "a file with the key by which the server's own keys are encrypted in"
    " the store (`threadwell keys make`); without it they are kept as they are",
    SECRETS_VARIABLE: "that key itself, in place of a file",
    SPOOL_VARIABLE: "the folder where what was seen waits until it is in the audit trail; if"
    " it is not set, beside a SQLite file, and for PostgreSQL below `~/.local/state/threadwell`",
    "XDG_STATE_HOME": "in place of `~/.local/state`",
    "SPARK_LOCAL_DIRS": "set by Spark for its workers: where people and messages of a backfill wait"
    " on a cluster, until the executor ends",
    "NO_COLOR": "if set to anything, the output has no colours",
    "TERM": "`dumb` leaves colours out too",
}
#: A reference that may lead to more types than this may lead to any: R4's lists are all but full.
_MANY = 100
#: What ``--store`` takes.
STORES = {
    "practice.db`, `sqlite:///practice.db": "a SQLite file here; made if it is not there",
    "sqlite:////var/lib/practice.db": "a SQLite file by its absolute path, with four slashes",
    "postgresql://user@host:5432/database": "PostgreSQL. Options after `?` are libpq's"
    " (`sslmode`, …) and ours: `schema` (default `threadwell`) for the tables, `pool` (10) for the"
    " most connections, `pooler=on` where a PgBouncer stands between",
    ":memory:": "nothing is kept",
}
#: The parameters of ``Threadwell.import_messages`` whose option has another name.
_OPTIONS = {
    "opening": "open_keyword",
    "closing": "close_keyword",
    "clinical_types": "clinical_type",
}


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, "utf-8")


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    bodies = {
        "README.md": _index(),
        "cli.md": _commands(),
        "guide.md": guide_page(),
        "python.md": python_page(),
        "settings.md": _settings(),
        "search-parameters.md": _search_parameters(),
    }
    return {name: _page(lines) for name, lines in bodies.items()}


def _page(lines: Iterable[str]) -> str:
    title, *rest = lines
    return "\n".join([title, "", _GENERATED, "", *rest]).rstrip() + "\n"


def _index() -> Iterator[str]:
    yield "# Reference"
    yield from _table(
        ("page", "holds"),
        [
            ("[cli.md](cli.md)", "every command with its options and examples"),
            ("[guide.md](guide.md)", "what we write beyond R4: extensions, codes, identifiers"),
            ("[python.md](python.md)", "every method of `threadwell.open(…)`"),
            ("[settings.md](settings.md)", "settings of an import, environment variables, limits"),
            (
                "[search-parameters.md](search-parameters.md)",
                f"the search parameters of all {len(RESOURCE_TYPES)} resource types",
            ),
        ],
    )


# Commands


def _commands() -> Iterator[str]:
    parsers = subparsers(build_parser(commands()))
    yield "# Commands"
    rows = [
        (f"[{command.name}](#threadwell-{command.name})", command.summary) for command in commands()
    ]
    yield from _table(("`threadwell …`", "does"), rows)
    yield ""
    yield from _paragraph(
        "A command exits with 0 when it is done, 1 when it did not go well (a sentence on standard"
        " error says why; `verify` also where it finds something), 2 when it was called wrongly."
    )
    for command in commands():
        yield from _command(command, parsers[command.name])


def subparsers(parser: ArgumentParser) -> Mapping[str, ArgumentParser]:
    """The parser of each command."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            return dict(action.choices)
    raise AssertionError("the parser has commands")


def _command(command: Command, parser: ArgumentParser) -> Iterator[str]:
    yield from ("", f"## threadwell {command.name}", "", f"{command.summary}.")
    if command.about:
        yield ""
        yield from _paragraph(command.about)
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action.dest != "help"]
        if actions:
            title = {"positional arguments": "argument", "options": "option"}
            yield ""
            head = (title.get(group.title or "", group.title or ""), "")
            yield from _table(head, [(_written(action), _meaning(action)) for action in actions])
    yield from ("", "```sh", *command.examples, "```")


def _written(action: Argument) -> str:
    if not action.option_strings:
        repeats = " …" if action.nargs in ("+", "*") else ""
        return f"`{action.metavar or action.dest}`{repeats}"
    names = action.metavar or action.dest.upper()
    names = names if isinstance(names, str) else " ".join(names)
    value = "" if action.nargs == 0 else f" {names}"
    if action.choices is not None and action.metavar is None:
        value = " " + "|".join(map(str, action.choices))
    return f"`{', '.join(action.option_strings)}{value}`"


def _meaning(action: Argument) -> str:
    # argparse fills these in; nothing else of its formatting is used.
    return (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")


# Settings


def _settings() -> Iterator[str]:
    yield "# Settings"
    yield from ("## Of an import", "")
    yield "Options of `threadwell import`, and arguments of `Threadwell.import_messages` in Python."
    yield "[importing.md](../importing.md) explains them."
    yield ""
    yield from _table(("option", "in Python", "default", "meaning"), _import_settings())
    yield from ("", "## The store", "")
    yield from _table(("`--store`", "is"), [(f"`{url}`", text) for url, text in STORES.items()])
    yield from ("", "## Environment variables", "")
    yield from _table(
        ("variable", "meaning"), [(f"`{name}`", text) for name, text in ENVIRONMENT.items()]
    )
    yield from ("", "## Limits", "")
    yield from _table(("what", "at most"), _limits())
    yield ""
    yield "What happens beyond those of the server is in [operations.md](../operations.md#limits)."


def _import_settings() -> Iterator[Sequence[str]]:
    actions = {a.dest: a for a in subparsers(build_parser(commands()))["import"]._actions}
    for name, parameter in inspect.signature(Threadwell.import_messages).parameters.items():
        action = actions.get(_OPTIONS.get(name, name))
        if action is not None:
            default = parameter.default
            shown = "" if default in (None, (), "", inspect.Parameter.empty) else f"`{default}`"
            yield _written(action), f"`{name}`", shown, _meaning(action)


def _limits() -> list[Sequence[str]]:
    mib = 1024 * 1024
    return [
        ("requests under way in a worker", f"{MAX_IN_FLIGHT:,}, or `--max-in-flight`"),
        ("requests of a client a minute", "no limit, or `--rate-limit`"),
        ("line and headers of a request", f"{MAX_HEAD // 1024} KiB"),
        ("body of a request", f"{MAX_BODY // mib} MiB"),
        (
            f"bodies above {LARGE // mib} MiB under way in a worker, together",
            f"{MAX_HELD // mib} MiB",
        ),
        ("answers that wait for their clients, together", f"{MAX_WAITING // mib} MiB a worker"),
        ("matches on a page (`_count`)", f"{MAX_COUNT:,}; {DEFAULT_COUNT} if it is not given"),
        ("matches to skip (`_offset`)", f"{MAX_OFFSET:,}"),
        (
            "matches on a page, together",
            f"{MAX_PAGE // mib} MiB, or `--max-page`; what they include as much again",
        ),
        ("included resources on a page", f"{MAX_INCLUDED:,}"),
        ("filters of a search", f"{MAX_FILTERS:,}"),
        ("alternatives of all of them, but ids, tokens and references", f"{MAX_ALTERNATIVES:,}"),
        ("ids, tokens and references of all of them", f"{MAX_LOOKED_UP:,}"),
        ("links of a chain", f"{MAX_LINKS}, and {MAX_BREADTH} combinations of types"),
        ("matches on a page of `$everything`", f"{MAX_RESOURCES:,}"),
        ("entries of a batch or transaction", f"{MAX_ENTRIES:,}"),
        ("answers of a batch or transaction, together", f"{MAX_ANSWERS // mib} MiB"),
        ("life of an access token", f"{TOKEN_LIFE:,} s"),
        ("life of an attachment's URL", f"at least {URL_LIFE:,} s"),
        ("text and files of an app's message", f"{MOST_TEXT:,} characters; {MOST_FILES}"),
        (
            "a file of an app, and those that wait",
            f"{MOST_OF_ONE_FILE:,} and {MOST_UPLOADED:,} bytes",
        ),
        ("body of another request of an app, or frame", f"{MOST_JSON // 1024} KiB"),
        ("sockets of a patient, and of all, in a worker", f"{MOST_OF_ONE} and {MOST_SOCKETS:,}"),
        ("unknown file kept in quarantine", f"{KEPT_BYTES // mib} MiB; of a larger one its name"),
    ]


# Search parameters


def _search_parameters() -> Iterator[str]:
    types = sorted(RESOURCE_TYPES)
    own = {type_: [*filter(_is_own, search_parameters(type_).values())] for type_ in types}
    shared = [p for p in search_parameters("Patient").values() if not _is_own(p)]
    yield "# Search parameters"
    yield from _paragraph(
        f"HL7's R4 parameters of {len(types)} resource types: {len(shared)} of all, and"
        f" {sum(map(len, own.values())):,} of their own. What prefixes and modifiers do, and where"
        " Threadwell differs from R4, is in [specifications.md](../specifications.md#search)."
    )
    yield from ("", "## All types", "")
    yield from _parameter_table("Resource", shared)
    for type_ in types:
        yield from ("", f"## {type_}", "")
        if own[type_]:
            yield from _parameter_table(type_, own[type_])
        else:
            yield "Those of all types."
        if type_ in NATURAL:
            yield from ("", f"Without `_sort`: in the order of `{NATURAL[type_]}`.")


def _is_own(parameter: SearchParameter) -> bool:
    return not parameter.code.startswith("_")


def _parameter_table(type_: str, parameters: Iterable[SearchParameter]) -> Iterator[str]:
    rows = [(f"`{p.code}`", p.type, _finds(p, type_)) for p in parameters]
    yield from _table(("parameter", "type", "looks at"), sorted(rows))


def _finds(parameter: SearchParameter, type_: str) -> str:
    if parameter.code == FILTER:
        return "expressions over the other parameters: [search](../specifications.md#search)"
    if reason := unsearchable(parameter):
        return f"not supported: {reason}"
    if parameter.components:
        codes = [component.url.rpartition("/")[2] for component in parameter.components]
        return "together: " + ", ".join(f"`{code.partition('-')[2]}`" for code in codes)
    looks = ", ".join(f"`{path}`" for path in _paths(parameter.expression, type_))
    if parameter.type != "reference" or not parameter.targets:
        return looks
    targets = sorted(parameter.targets)
    return f"{looks} → {'any type' if len(targets) > _MANY else ', '.join(targets)}"


def _paths(expression: str, type_: str) -> list[str]:
    """The parts of an expression that are about a type, without its name."""
    parts = [part.strip() for part in _at_top(expression)]
    own = [part for part in parts if re.match(rf"\(*{type_}\b", part)]
    return [re.sub(rf"\b{type_}\.", "", part) for part in own or parts]


def _at_top(expression: str) -> Iterator[str]:
    """The parts between those ``|`` that stand in no parentheses."""
    depth = start = 0
    for at, character in enumerate(expression):
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            yield expression[start:at]
            start = at + 1
    yield expression[start:]


def _paragraph(text: str) -> list[str]:
    return wrap(text, 100, break_long_words=False, break_on_hyphens=False)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


if __name__ == "__main__":
    main()

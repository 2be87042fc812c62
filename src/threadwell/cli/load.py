"""``threadwell load``: NDJSON of any FHIR server into a store."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from threadwell.cli.command import Command, add_format, add_store
from threadwell.cli.errors import Mistake
from threadwell.cli.output import paint, plural, print_json
from threadwell.cli.report import cut_in_words, print_choices

if TYPE_CHECKING:
    from threadwell.bulk.lines import Bad
    from threadwell.bulk.loading import Loaded
    from threadwell.intake.choices import Choices

_PAUSE = 2.0
#: Bad lines that are told one by one.
_TOLD = 20
_ASIDE = "not-loaded"
_NO_ZONE = (
    "This store was never told the time zone of the practice: its days are those of UTC. "
    "`threadwell recut --zone IANA` tells it (docs/bulk.md)."
)
_CARRIED = (
    "From now on the sessions of this store are cut as those loaded were, by what the manifest "
    "says: {}."
)


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="NDJSON, plain or gzip; of a folder all .ndjson, .jsonl and .ndjson.gz in it",
    )
    add_store(parser)
    parser.add_argument(
        "--trusted", action="store_true", help="do not check what the other server has checked"
    )
    parser.add_argument(
        "--as-it-was",
        action="store_true",
        help="keep meta.versionId and meta.lastUpdated; what the store has of later stays",
    )
    parser.add_argument(
        "--aside",
        metavar="FOLDER",
        type=Path,
        default=Path(_ASIDE),
        help=f"where lines are put that cannot be stored (default: {_ASIDE} here)",
    )
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Load, and say what became of the lines; 1 if any could not be stored."""
    import asyncio

    from threadwell.bulk.loading import files_of

    try:
        files = files_of(arguments.files)
    except FileNotFoundError as error:
        raise Mistake(str(error)) from None
    if not files:
        raise Mistake("there is no NDJSON in it: files end in .ndjson, .jsonl or .ndjson.gz")
    aside = _Aside(arguments.aside)
    loaded, zone, choices = asyncio.run(_load(arguments, files, aside))
    if choices:
        print_choices(choices)
    if arguments.format == "json":
        told = {**asdict(loaded), "aside": [str(path) for path in aside.files]}
        print_json({**told, "zone": zone or None, "sessions": choices and _told(choices)})
    else:
        _print(loaded, aside)
        if choices:
            print(_CARRIED.format(cut_in_words(choices)))
        elif not zone:
            print(_NO_ZONE)
    return 1 if loaded.bad else 0


class _Aside:
    """Lines that cannot be stored: told, and put into files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told = 0
        self.files: dict[Path, None] = {}

    def __call__(self, path: Path, bad: Bad) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / f"{path.name.removesuffix('.gz').removesuffix('.ndjson')}.ndjson"
        with target.open("ab") as file:
            file.write(bad.text + b"\n")
        self.files[target] = None
        self._told += 1
        if self._told <= _TOLD:
            print(f"{path}, line {bad.number}: {bad.reason}", file=sys.stderr)
        elif self._told == _TOLD + 1:
            print(f"further ones are in {self._folder}, and are not told", file=sys.stderr)


def _told(choices: Choices) -> dict[str, str | None]:
    gap = choices.gap if choices.is_cut_by("gap") else None
    return {
        "policy": choices.policy,
        "gap": gap,
        "scope": choices.scope,
        "zone": choices.zone,
    }


def _folders(paths: Iterable[Path], files: Iterable[Path]) -> list[Path]:
    """Those in which files are that were not named by themselves: their manifests count."""
    named = set(paths)
    return list(dict.fromkeys(one.parent for one in files if one not in named))


async def _load(
    arguments: Namespace, files: list[Path], aside: _Aside
) -> tuple[Loaded, str, Choices | None]:
    from threadwell.app import open_store
    from threadwell.audit.record import Who
    from threadwell.audit.trail import Trail
    from threadwell.audit.way import WAY
    from threadwell.bulk.loading import Loader
    from threadwell.facade.opened import login_name
    from threadwell.intake.care_zone import kept_zone
    from threadwell.intake.carried import take_carried
    from threadwell.intake.collecting import rare_collections
    from threadwell.projects.chosen import chosen
    from threadwell.projects.within import within
    from threadwell.stores.contract import StoreError

    last = time.monotonic()

    def told(loaded: Loaded) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PAUSE:
            last = now
            print(f"{plural(loaded.lines, 'line')} read", file=sys.stderr)

    store = open_store(arguments.store)
    trail = Trail(store, by=Who(way=WAY.get(), name=login_name()))
    try:
        with rare_collections():
            project = await chosen(store)
            own = within(trail.store, project)
            loader = Loader(
                own,
                project,
                aside,
                trusted=arguments.trusted,
                as_it_was=arguments.as_it_was,
                told=told,
            )
            choices = await take_carried(own, project, _folders(arguments.files, files))
            return await loader.load(files), await kept_zone(own), choices
    finally:
        trail.close()
        with suppress(StoreError):
            await trail.drain_some()
        await store.close()


def _print(loaded: Loaded, aside: _Aside) -> None:
    print(f"{plural(loaded.lines, 'line')} of {plural(loaded.files, 'file')} read:")
    print(f"  {loaded.new:,} new, {loaded.changed:,} changed, {loaded.same:,} there already")
    if loaded.older:
        print(f"  {loaded.older:,} that the store has of a later time")
    if loaded.skipped:
        print(f"  {plural(loaded.skipped, 'line')} were loaded before this was broken off")
    for type_, count in sorted(loaded.types.items()):
        print(f"  {type_}: {count:,}")
    if loaded.bad:
        where = ", ".join(map(str, aside.files))
        print(paint(f"{plural(loaded.bad, 'line')} could not be stored, see {where}", "red"))


COMMAND = Command(
    name="load",
    summary="Load NDJSON of any FHIR server into a store",
    about="Resources keep their ids. One that is there already is left alone, one that is there "
    "otherwise gets a further version: loading again does no harm, and goes on where it was "
    "broken off. Files may come in any order. A folder of `threadwell backfill` or `export` tells "
    "the store by which policy and time zone its sessions are cut. Lines that cannot be stored are "
    "told and put aside; then it ends with exit code 1.",
    examples=(
        "threadwell load exported/",
        "threadwell load Patient.ndjson Observation.ndjson.gz --as-it-was --store practice.db",
    ),
    add_arguments=add_arguments,
    run=run,
)

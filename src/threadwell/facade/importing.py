"""An import as Python and the command line ask for it: from plain values to ``intake``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from threadwell.app import channels
from threadwell.channels.channel import ReadOptions
from threadwell.channels.reading import read_path
from threadwell.facade.trial import TrialStore
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.inbox.care_zone import care_zone, keep_care_zone
from threadwell.intake import Counts, Report, Settings, import_messages, import_people
from threadwell.intake.settings import BadSetting, parse_options, parse_zone
from threadwell.messages import Address, AddressKind, Broken, Message, parse_email, parse_phone
from threadwell.stores.contract import Store


@dataclass(frozen=True, slots=True)
class Plan:
    """What to import, and how; see ``Threadwell.import_messages``."""

    paths: tuple[Path, ...]
    people: Path | None = None
    channel: str | None = None
    policy: str = "per-day"
    gap: str = "24h"
    scope: str = "thread"
    zone: str | ZoneInfo | None = None
    unknown: str = "quarantine"
    owner: tuple[str | Address, ...] = ()
    country: str = "US"
    opening: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    dry_run: bool = False


async def run_import(
    store: Store, project: str, plan: Plan, progress: Callable[[Counts], None] | None
) -> Report:
    """Import people, then messages. What cannot be right is said before anything is written.

    Raises ``BadSetting`` or ``UnknownChannel`` (both ``ValueError``) and ``FileNotFoundError``.
    """
    zone = await _zone(store, plan.zone)
    owner = tuple(_address(one, plan.country) for one in plan.owner)
    settings = Settings(
        policy=plan.policy,
        scope=plan.scope,
        options=parse_options(zone=zone.key, gap=plan.gap),
        unknown=plan.unknown,
        owner=owner,
        country=plan.country,
        opening=plan.opening,
        closing=plan.closing,
        dry_run=plan.dry_run,
    )
    _messages(plan, settings)
    if plan.dry_run:
        store = TrialStore(store)
    if plan.people:
        await import_people(store, project, plan.people, country=plan.country)
    if not owner:
        settings = replace(settings, owner=await _practice(store, project, plan.country))
    report = await import_messages(store, project, _messages(plan, settings), settings, progress)
    await keep_care_zone(store, zone)
    return report


def as_paths(paths: str | Path | Iterable[str | Path]) -> tuple[Path, ...]:
    """One path or several."""
    if isinstance(paths, (str, Path)):
        return (Path(paths),)
    return tuple(map(Path, paths))


def _messages(plan: Plan, settings: Settings) -> Iterator[Message | Broken]:
    """What is in the paths; that each is there is looked at now, the rest when it is read."""
    options = ReadOptions(settings.options.zone, settings.owner, plan.country)
    return chain.from_iterable(
        [
            read_path(path, channel=plan.channel, options=options, channels=channels())
            for path in plan.paths
        ]
    )


async def _zone(store: Store, zone: str | ZoneInfo | None) -> ZoneInfo:
    if zone is None:
        return await care_zone(store)
    return zone if isinstance(zone, ZoneInfo) else parse_zone(zone)


async def _practice(store: Store, project: str, country: str) -> tuple[Address, ...]:
    """The addresses of the practice: those of the Organization, if just one has any."""
    found = await store.search(project, Query("Organization", count=1000))
    telecoms = [decode(one.body).get("telecom") for one in found.matches]
    reachable = [telecom for telecom in telecoms if telecom]
    if len(reachable) != 1:
        return ()
    values = [point.get("value", "") for point in reachable[0]]
    return tuple(
        _parsed(value, country) or Address(AddressKind.OTHER, value) for value in values if value
    )


def _address(text: str | Address, country: str) -> Address:
    address = text if isinstance(text, Address) else _parsed(text, country)
    if address is None:
        raise BadSetting("owner must be a phone number or mail address, such as +12125550100")
    return address


def _parsed(text: str, country: str) -> Address | None:
    return parse_email(text) or parse_phone(text, country)

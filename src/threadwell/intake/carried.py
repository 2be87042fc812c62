"""How sessions were cut, as the manifest of a folder of NDJSON carries it from store to store.

It is no resource, so it would stay behind: days would be those of UTC, and a later import would cut
by something else than what was loaded. The rules of the zone go along, as days were cut by these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from threadwell import zones
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.care_zone import CareDays, care_days, kept_rules
from threadwell.intake.choices import Choices, has_messages, keep_choices, kept_choices
from threadwell.intake.practice import plain_settings
from threadwell.stores.contract import Store
from threadwell.zones import Zone

MANIFEST = "manifest.json"
#: Its name among the extensions of a manifest (Bulk Data Access IG, "Response - Complete Status").
_EXTENSION = "threadwell-sessions"


class CutOtherwise(BadSetting):
    """What is to be loaded was cut in another way than the sessions of the store."""

    def __init__(self, path: Path, changes: Iterable[str]) -> None:
        super().__init__(
            f"the sessions of this store are cut by {'; '.join(changes)}, by which those in {path} "
            "were cut: `threadwell recut` cuts the store anew, or fill the folder by what the "
            "store has"
        )


class Carried(msgspec.Struct, frozen=True):
    """By what sessions were cut, and by which rules of their zone; ``None`` where none was told."""

    choices: Choices
    zone: dict[str, str] | None = None

    @property
    def rules(self) -> Zone | None:
        """The rules of the zone; raises ``ValueError`` for what are none."""
        return zones.kept_zone(msgspec.json.encode(self.zone)) if self.zone else None


async def extension_of(store: Store, project: str) -> Mapping[str, Any]:
    """What a manifest says beside its files; empty where nothing was ever chosen.

    So it is while sessions are being cut anew, as they are not all cut by one choice.
    """
    choices = await kept_choices(store, project)
    if choices is None or choices.recutting:
        return {}
    rules = await kept_rules(store) if choices.zone else None
    zone = msgspec.json.decode(zones.encode_zone(rules)) if rules else None
    return {"extension": {_EXTENSION: Carried(choices, zone)}}


def carried_by(folder: Path) -> Carried | None:
    """What the manifest of a folder says; ``None`` where it has none, or one that does not say it.

    Raises ``BadSetting`` where what it says is damaged.
    """
    path = folder / MANIFEST
    try:
        told = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
        extensions = msgspec.json.decode(told["extension"], type=dict[str, msgspec.Raw])
        found = extensions[_EXTENSION]
    except (OSError, KeyError, msgspec.ValidationError):
        return None
    except (ValueError, msgspec.DecodeError):
        raise BadSetting(f"{path} is damaged: it is no JSON") from None
    with suppress(msgspec.DecodeError, ValueError):
        carried = msgspec.json.decode(found, type=Carried)
        if (carried.rules.name if carried.rules else "") == carried.choices.zone:
            return carried
    raise BadSetting(f"what {path} says of how sessions were cut is damaged")


async def take_carried(store: Store, project: str, folders: Iterable[Path]) -> Choices | None:
    """Let sessions be cut as those in the folders were, where the store has not chosen yet.

    Returns by what they are cut from now on; ``None`` where nothing has changed. Raises
    ``CutOtherwise``, before anything is written, and ``BadSetting``.
    """
    kept = await kept_choices(store, project)
    is_chosen = kept is not None and await has_messages(store, project)
    first: Carried | None = None
    for folder in folders:
        carried = carried_by(folder)
        if carried is None:
            continue
        before = kept if is_chosen else first and first.choices
        if before and (changes := before.changes(carried.choices)):
            raise CutOtherwise(folder, changes)
        first = first or carried
    if first is None or is_chosen:
        return None
    choices = first.choices
    plain_settings(choices, {})
    if not choices.earlier_ids:
        choices = replace(choices, earlier_ids=await has_messages(store, project))
    days = await care_days(store, project, choices.zone or "UTC")
    await keep_choices(store, project, choices, CareDays(None, first.rules or days.here))
    return choices

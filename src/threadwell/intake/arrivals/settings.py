"""How messages are taken in as they come: as the store was told, or as nobody has said otherwise.

What a first import would keep is kept here too, so that a later one goes by it.
"""

from __future__ import annotations

from collections.abc import Mapping

from threadwell.intake.care_zone import care_days, kept_zone
from threadwell.intake.choices import Choices, keep_choices, kept_choices
from threadwell.intake.country import DEFAULT_COUNTRY, kept_country
from threadwell.intake.practice import cut_by, plain_settings, with_practice
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Store


async def live_country(store: Store, project: str) -> str:
    """The country of phone numbers that are written without one."""
    choices = await kept_choices(store, project)
    kept = choices.country if choices is not None else await kept_country(store)
    return kept or DEFAULT_COUNTRY


async def live_settings(store: Store, project: str, labels: Mapping[str, str]) -> Settings:
    """The settings of the store; raises ``BadSetting``."""
    choices = await kept_choices(store, project)
    is_first = choices is None
    if choices is None:
        zone, country = await kept_zone(store), await kept_country(store)
        choices = Choices(zone=zone, country=country, earlier_ids=False)
    settings = await with_practice(plain_settings(choices, labels), store, project, choices)
    days = await care_days(store, project, choices.zone or "UTC")
    if is_first:
        await keep_choices(store, project, choices, days)
    return cut_by(settings, days)

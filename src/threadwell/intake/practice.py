"""The settings of a practice, out of what its store has of it: its choices, and who it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query
from threadwell.intake.accounts import accounts
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.care_zone import CareDays, care_days
from threadwell.intake.choices import Choices, clinical_types, kept_choices
from threadwell.intake.country import DEFAULT_COUNTRY
from threadwell.intake.kept_rules import kept_rules
from threadwell.intake.rulebook.ruleset import RuleSet
from threadwell.intake.settings import Settings, parse_options
from threadwell.intake.todos.since import heard_since
from threadwell.messages import Address, AddressKind, parse_address
from threadwell.stores.contract import Store


async def kept_settings(store: Store, project: str, labels: Mapping[str, str]) -> Settings:
    """How the sessions of the store are cut, for whoever changes one of them.

    ``labels`` are what people call channels, by name.
    """
    choices = await kept_choices(store, project) or Choices()
    settings = await with_practice(plain_settings(choices, labels), store, project, choices)
    return cut_by(settings, await care_days(store, project, choices.zone or "UTC"))


def plain_settings(
    choices: Choices,
    labels: Mapping[str, str],
    *,
    unknown: str = "quarantine",
    owner: Iterable[str | Address] = (),
) -> Settings:
    """The settings that choices make, before anybody has looked into the store."""
    country = choices.country or DEFAULT_COUNTRY
    clinical, clinical_of = clinical_types(choices.clinical_types)
    return Settings(
        policy=choices.policy,
        scope=choices.scope,
        options=parse_options(zone=choices.zone or "UTC", gap=choices.gap),
        unknown=unknown,
        owner=tuple(_address(one, country) for one in owner),
        country=country,
        opening=choices.opening,
        closing=choices.closing,
        zone_change=choices.zone_change,
        clinical=clinical,
        clinical_of=clinical_of,
        labels=labels,
    )


async def with_practice(
    settings: Settings, store: Store, project: str, choices: Choices
) -> Settings:
    """The settings with the practice as the store has it; raises ``BadSetting``.

    Its addresses at its providers are its own, whoever else it is told to be.
    """
    organizations = await _organizations(store, project)
    owner = settings.owner or _practice(organizations, settings.country)
    there = [address for one in await accounts(store, project) for address in one.addresses]
    rules = await kept_rules(store, project)
    heard = await heard_since(store, project)
    settings = replace(
        settings,
        owner=tuple({one.key: one for one in (*there, *owner)}.values()),
        tracking=(rules or RuleSet()).tracking(heard),
        rules=rules,
    )
    if choices.organization:
        settings = _of_organization(settings, choices.organization, organizations)
    return settings


def cut_by(settings: Settings, days: CareDays) -> Settings:
    """The settings, with days cut by the rules that the store goes by.

    Times that an export writes without a zone are read by the newest rules all the same.
    """
    return replace(settings, options=replace(settings.options, zone=days.cutting.info))


async def _organizations(store: Store, project: str) -> list[Resource]:
    found = await store.search(project, Query("Organization", count=1000))
    return [decode(one.body) for one in found.matches]


def _practice(organizations: Sequence[Resource], country: str) -> tuple[Address, ...]:
    """The addresses of the practice: those of the Organization, if just one has any."""
    there = [one for one in organizations if one.get("active") is not False]
    reachable = [one["telecom"] for one in there if one.get("telecom")]
    if len(reachable) != 1:
        return ()
    values = [point.get("value", "") for point in reachable[0]]
    return tuple(
        parse_address(value, country) or Address(AddressKind.OTHER, value)
        for value in values
        if value
    )


def _of_organization(
    settings: Settings, organization: str, organizations: Sequence[Resource]
) -> Settings:
    """The settings with that Organization; the first of a store is made if it is not there."""
    for one in organizations:
        reference = f"Organization/{one['id']}"
        if organization in (reference, one.get("name")):
            return replace(settings, organization=reference)
    if organizations or organization.startswith("Organization/"):
        raise BadSetting(f"there is no organization {organization!r} in the store")
    return replace(settings, practice_name=organization)


def _address(text: str | Address, country: str) -> Address:
    address = text if isinstance(text, Address) else parse_address(text, country)
    if address is None:
        raise BadSetting("owner must be a phone number or mail address, such as +12125550100")
    return address

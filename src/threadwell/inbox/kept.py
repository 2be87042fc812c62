"""What pages show that is no resource: how a practice is set up, and what waits to be sent.

No policy is about these, so they are read from the store itself, here and nowhere else. Where one
leads to resources (held messages by their address), it is those that whoever looks may see.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from zoneinfo import ZoneInfo

from threadwell.channels.account import Account
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.inbox.reader import Reader
from threadwell.intake.accounts import accounts
from threadwell.intake.care_zone import care_zone
from threadwell.intake.choices import Choices, kept_choices
from threadwell.intake.correcting import may_be_about as about_by_addresses
from threadwell.intake.held.finding import count_waiting, held_at
from threadwell.intake.kept_rules import kept_tracking
from threadwell.intake.links import as_key
from threadwell.intake.replies.outbox import Queued, letters_of
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Key


async def zone_of(reader: Reader) -> ZoneInfo:
    """The care time zone."""
    return await care_zone(reader.whole)


async def choices_of(reader: Reader) -> Choices:
    """What was chosen for the store, or what holds before anybody has."""
    return await kept_choices(reader.whole, reader.project) or Choices()


async def is_tracked(reader: Reader) -> bool:
    """Whether it is kept which threads of a practice wait."""
    return await kept_tracking(reader.whole, reader.project) is not None


async def accounts_of(reader: Reader) -> list[Account]:
    """The accounts at providers."""
    return await accounts(reader.whole, reader.project)


async def letters(reader: Reader, names: Iterable[str]) -> dict[str, Queued]:
    """What becomes of messages that are in the outbox, by names that stand on the messages."""
    return await letters_of(reader.whole, reader.project, names)


async def held_tasks(reader: Reader, addresses: Collection[str]) -> AsyncIterator[Resource]:
    """The Tasks of the messages that wait for one of those addresses, as far as they are seen."""
    async for stored in held_at(reader.whole, reader.project, addresses):
        if reader.policy is None:
            yield decode(stored.body)
            continue
        key = Key("Task", stored.id)
        if (seen := (await reader.view.read_many(reader.project, [key])).get(key)) is not None:
            yield decode(seen.body)


async def count_held_at(reader: Reader, address: str) -> int:
    """How many messages wait for who writes at an address, of those that are seen."""
    if reader.policy is None:
        return await count_waiting(reader.whole, reader.project, address)
    return len([one async for one in held_tasks(reader, [address])])


async def may_be_about(reader: Reader, session: str, settings: Settings) -> list[str]:
    """The patients whom a session (``Encounter/…``) may be about by its addresses, of those that
    are seen."""
    possible = await about_by_addresses(reader.whole, reader.project, session, settings)
    if reader.policy is None:
        return list(possible)
    found = await reader.view.read_many(reader.project, [as_key(one) for one in possible])
    return [one for one in possible if as_key(one) in found]

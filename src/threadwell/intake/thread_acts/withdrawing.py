"""What its sender has taken back at the provider is taken back in the record."""

from __future__ import annotations

from dataclasses import replace

from threadwell.channels.live import Withdrawn
from threadwell.encounters import codes
from threadwell.encounters.child_ids import own_of
from threadwell.encounters.corrected import Agent
from threadwell.encounters.people import addresses_of
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.intake.seat import Seat
from threadwell.intake.thread_acts.retracting import BadRetraction, retract
from threadwell.messages.wordings import original_of

_BY = Agent("Its sender")
_WHY = "Its sender has taken it back."


async def withdraw(seat: Seat, one: Withdrawn) -> bool:
    """Take a message back that its sender has; whether it is there.

    It may be told before the message itself, which then is still to come.
    """
    tokens = (
        TokenMatch(codes.MESSAGE + one.channel, one.external_id),
        # Other wordings of it answer it.
        TokenMatch(codes.REFERENCE + one.channel, one.external_id),
    )
    query = Query("Communication", (TokenFilter("identifier", tokens),))
    found = (await seat.store.search(seat.project, query)).matches
    there = False
    for stored in found:
        body: Resource = decode(stored.body)
        own = own_of(body)
        ids = {
            each.get("value")
            for each in body.get("identifier") or ()
            if each.get("system") == codes.MESSAGE + one.channel
        }
        if own is None or one.external_id not in {*ids, original_of(own.external_id)}:
            continue
        there = True
        senders = {address.key for address in addresses_of(body.get("sender") or {})}
        if one.who.key not in senders:
            continue
        try:
            name = f"Communication/{stored.id}"
            await retract(replace(seat, by=_BY), name, why=_WHY)
        except BadRetraction:
            continue
    return there

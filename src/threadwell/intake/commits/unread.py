"""Of a message that was taken back, nobody has to read anything any more."""

from __future__ import annotations

from threadwell.encounters import codes
from threadwell.encounters.receipts import cancelled
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter, TokenFilter
from threadwell.fhir.search.sought import ReferenceMatch, TokenMatch
from threadwell.intake.commits.batch import Batch
from threadwell.intake.paging import search_all
from threadwell.stores.contract import Key, Store


async def cancel_receipts(store: Store, project: str, message: str, batch: Batch) -> None:
    """Add to a batch that nobody has to read a message any more, by its logical id."""
    of = ReferenceFilter("based-on", (ReferenceMatch("Communication", message, ""),))
    waiting = TokenFilter("status", (TokenMatch(None, "requested"),))
    async for stored in search_all(store, project, Query("Task", (of, waiting))):
        body: Resource = decode(stored.body)
        codings = (body.get("code") or {}).get("coding") or ()
        if any(one.get("code") == codes.READ_RECEIPT["code"] for one in codings):
            batch.write(Key("Task", stored.id), cancelled(body), stored)

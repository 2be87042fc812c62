"""Which circles have sessions that time alone may have finished."""

from __future__ import annotations

from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import MissingFilter, Query, TokenFilter, TokenMatch
from threadwell.intake.paging import search_all
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Store


async def open_circles(store: Store, project: str, settings: Settings) -> list[str]:
    """The keys of circles with open threads that the policy and scope of ``settings`` made.

    A circle so large that a digest names it is left out: its sessions wait for the next message.
    """
    query = Query(
        "Communication",
        (
            TokenFilter("status", (TokenMatch(None, "in-progress"),)),
            MissingFilter("part-of", missing=True),
        ),
    )
    found: dict[str, None] = {}
    async for stored in search_all(store, project, query):
        values = {
            one.get("system"): str(one.get("value", ""))
            for one in decode(stored.body).get("identifier") or ()
        }
        header, circle = values.get(codes.HEADER, ""), values.get(codes.CIRCLE, "")
        by_patient = header.startswith(f"{settings.policy}|{circle}|")
        if (
            circle.startswith("Patient/")
            and header.startswith(f"{settings.policy}|")
            and by_patient == (settings.scope == "patient")
        ):
            found[circle] = None
    return list(found)

"""Which circles have to be looked at though no message was added to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeAlias

from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import MissingFilter, Query, TokenFilter, TokenMatch
from threadwell.intake.paging import search_all
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Store

_NAMED = "Patient/"


#: Circles by their keys, with their patients.
Circles: TypeAlias = dict[str, tuple[str, ...]]


async def open_circles(store: Store, project: str, settings: Settings) -> Circles:
    """The circles with open threads that the policy and scope of ``settings`` made.

    Those are the ones with sessions that time alone may have finished. A circle so large that a
    digest names it is left out: its sessions wait for the next message.
    """
    found: Circles = {}
    status = TokenFilter("status", (TokenMatch(None, "in-progress"),))
    async for header, circle in _headers(store, project, status):
        by_patient = header.startswith(f"{settings.policy}|{circle}|")
        if (
            circle.startswith(_NAMED)
            and header.startswith(f"{settings.policy}|")
            and by_patient == (settings.scope == "patient")
        ):
            found[circle] = _patients(circle)
    return found


async def all_circles(store: Store, project: str) -> Circles:
    """All circles with messages, but for those that a digest names."""
    status = TokenFilter("status", (TokenMatch(None, "entered-in-error"),), negate=True)
    headers = _headers(store, project, status)
    return {circle: _patients(circle) async for _, circle in headers if circle.startswith(_NAMED)}


def _patients(circle: str) -> tuple[str, ...]:
    return tuple(circle.split("+"))


async def _headers(
    store: Store, project: str, status: TokenFilter
) -> AsyncIterator[tuple[str, str]]:
    """The identity and the circle of each thread header of a status, ``""`` where it has none."""
    query = Query("Communication", (status, MissingFilter("part-of", missing=True)))
    async for stored in search_all(store, project, query):
        values = {
            one.get("system"): str(one.get("value", ""))
            for one in decode(stored.body).get("identifier") or ()
        }
        yield values.get(codes.HEADER, ""), values.get(codes.CIRCLE, "")

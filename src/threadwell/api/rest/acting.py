"""What an operation of ours acts with, once its caller may do it to what they named."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.rest.read import existing
from threadwell.api.rest.said import asking
from threadwell.fhir.resource import Resource
from threadwell.intake.practice import kept_settings
from threadwell.intake.seat import Seat, Stand
from threadwell.stores.contract import Key, Store


async def acting(context: Context, request: Request, writes: Resource | None = None) -> Store:
    """The store, for an act on the resource of the URL (on none, where it has none).

    ``writes`` is what it makes, as far as that is said. Raises 404 and 410 where the resource is
    not there, 403 where the caller may not act on it, 404 where the body names what is not there
    for them.
    """
    if not request.id:
        return await context.view.acting(None, request.body, writes)
    existing(await context.view.read(context.project, request.type, request.id))
    return await context.view.acting(Key(request.type, request.id), request.body, writes)


def stand_of(context: Context, request: Request, store: Store) -> Stand:
    """From where the caller does to that store what changes no session."""
    return Stand(store, context.project, asking(request), context.clock)


async def seat_of(context: Context, request: Request, store: Store) -> Seat:
    """From where the caller acts on that store; raises ``BadSetting``."""
    settings = await kept_settings(store, context.project, context.labels())
    return Seat(store, context.project, settings, asking(request), context.clock)

"""Subscriptions: begun as they are written, and bound to a socket (FHIR R4 §2.46).

``$get-ws-binding-token`` is an operation of the subscriptions backport, as Medplum's clients call
it.
"""

from __future__ import annotations

from threadwell.access.view import View, Whole
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON
from threadwell.api.rest.change import deleted
from threadwell.api.rest.read import existing
from threadwell.api.subscriptions.app import socket_url
from threadwell.api.subscriptions.binding import LIFE, Binding, issue
from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import instant
from threadwell.stores.contract import ChangeSet, Conflict
from threadwell.subscriptions import served
from threadwell.subscriptions.criteria import parse_criteria

TYPE = "Subscription"
NAME = "$get-ws-binding-token"
DEFINITION = (
    "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/"
    "backport-subscription-get-ws-binding-token"
)


def begin(context: Context, resource: Resource) -> None:
    """Have a valid resource, if it is a Subscription, say whether it is served.

    Raises ``FhirError`` 400 for criteria that are no search, and for a channel that cannot be
    meant.
    """
    if resource["resourceType"] != TYPE:
        return
    limited = not isinstance(context.view, Whole)
    if served.begin(resource, context.clock(), limited=limited):
        parse_criteria(resource["criteria"], bases=context.bases, now=context.clock)


async def binding_token(context: Context, request: Request) -> Answer:
    """200 with Parameters: the token, until when it is good, and where it is taken.

    404 and 410 where there is no such Subscription, 422 where no socket is served for it.
    """
    stored = existing(await context.view.read(context.project, TYPE, request.id))
    if served.socket_criteria(decode(stored.body)) is None:
        text = "The Subscription is not active, or has another channel than websocket"
        raise FhirError(422, [Issue("business-rule", text)])
    now = context.clock() // 1000
    assert request.caller.claims is not None
    binding = Binding(request.id, request.caller.claims)
    parameters = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "token",
                "valueString": issue(context.signing, f"{context.base}/", binding, now),
            },
            {"name": "expiration", "valueDateTime": instant((now + LIFE) * 1000)},
            {"name": "subscription", "valueString": request.id},
            {"name": "websocket-url", "valueUrl": socket_url(context.base)},
        ],
    }
    return Answer(200, [JSON, (b"cache-control", b"no-store")], encode(parameters))


async def remove(context: Context, view: View, id_: str) -> None:
    """Delete a Subscription whose client is done with it; one that is gone stays so."""
    current = await view.read(context.project, TYPE, id_)
    change = deleted(current, context.clock(), current.author) if current else None
    if change and change.write:
        try:
            await view.commit(context.project, ChangeSet((change.write,)))
        except Conflict:
            return

"""``hooks/<account>``: where providers deliver. Kept durably first, and only then acknowledged.

Nothing is read here but what shows that the provider has sent it. What is refused leaves no trace
of its content.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.load.gate import Later
from threadwell.api.outcomes import forbidden
from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery, Refused, Reply
from threadwell.channels.live import Live
from threadwell.fhir.outcome import not_found
from threadwell.intake.arrivals.journal import keep
from threadwell.stores.contract import StoreError

_log = logging.getLogger(__name__)

#: Seconds after which a provider may deliver again what could not be kept.
_RETRY = 5
_NOT_KEPT = "It could not be kept: please deliver it again"


async def deliver(context: Context, request: Request) -> Answer:
    """What the provider wants to read, once the delivery is durable.

    403 for what the provider cannot have sent, 404 where there is no such account, 503 if it
    cannot be kept now.
    """
    account, live = await _account(context, request)
    delivery = _delivery(context, request, account)
    refused = live.verify(delivery, account)
    if refused is not None:
        raise _refused(account, refused)
    try:
        await keep(context.whole, context.project, account, delivery, live.headers)
    except StoreError as error:
        context.load.failures.add(error, "", request.interaction)
        context.load.store_failed(error)
        raise Later(503, "transient", _NOT_KEPT, _RETRY) from None
    return _answer(live.answer(delivery))


async def greet(context: Context, request: Request) -> Answer:
    """The answer by which a provider knows that the URL is the practice's.

    Of a channel that has none, a delivery by GET is like one by POST.
    """
    account, live = await _account(context, request)
    if live.greet is None:
        return await deliver(context, request)
    reply = live.greet(_delivery(context, request, account), account)
    if isinstance(reply, Refused):
        raise _refused(account, reply)
    return _answer(reply)


async def _account(context: Context, request: Request) -> tuple[Account, Live]:
    account = await context.accounts.find(request.path.partition("/")[2], context.clock())
    channel = context.channels().get(account.channel) if account else None
    if account is None or channel is None or channel.live is None:
        raise not_found()
    return account, channel.live


def _delivery(context: Context, request: Request, account: Account) -> Delivery:
    query = f"?{request.query}" if request.query else ""
    bases = [f"{base}/{request.path}" for base in context.served]
    urls = [account.url, *bases] if account.url else bases
    return Delivery(
        request.method,
        tuple(f"{url}{query}" for url in urls),
        _texts(request.headers),
        request.body,
        datetime.fromtimestamp(context.clock() / 1000, UTC),
    )


def _texts(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}


def _refused(account: Account, why: Refused) -> Exception:
    _log.warning("a delivery to %s was refused: %s", account.name, why.reason)
    return forbidden()


def _answer(reply: Reply) -> Answer:
    headers = [(b"cache-control", b"no-store")]
    if reply.content_type:
        headers.append((b"content-type", reply.content_type.encode()))
    return Answer(reply.status, headers, reply.body)

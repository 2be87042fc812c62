"""From where somebody comes who signs in."""

from __future__ import annotations

from threadwell.api.exchange import Request
from threadwell.users.signing_in import From
from threadwell.users.sources import address_of, proxies


def where_from(request: Request) -> From:
    """Where a request comes from, by what trusted proxies say of it."""
    forwarded = request.headers.get(b"x-forwarded-for", b"").decode("latin-1")
    return From(address_of(request.peer, forwarded, proxies()))

"""Where a request comes from, as far as that can be believed."""

from __future__ import annotations

import ipaddress
import os
from functools import cache
from typing import TypeAlias

from threadwell.users.settings import DEFAULT_PROXIES, PROXIES_VARIABLE

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadProxies(ValueError):
    """The setting has something in it that is neither an address nor a network."""


def parse_proxies(text: str) -> tuple[Network, ...]:
    """Addresses and networks with commas between them; raises ``BadProxies``."""
    try:
        return tuple(
            ipaddress.ip_network(one.strip(), strict=False)
            for one in text.split(",")
            if one.strip()
        )
    except ValueError as error:
        raise BadProxies(f"{PROXIES_VARIABLE}: {error}") from None


@cache
def proxies() -> tuple[Network, ...]:
    """Those that are set."""
    return parse_proxies(os.environ.get(PROXIES_VARIABLE, DEFAULT_PROXIES))


def address_of(peer: str, forwarded: str, known: tuple[Network, ...]) -> str:
    """The address that a request comes from: ``peer``, or whoever a known proxy says.

    ``forwarded`` is ``X-Forwarded-For``: each proxy adds at its end whom it has heard from, so it
    is believed from there on, for as long as it names proxies that are known.
    """
    at = peer
    for one in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
        if not _within(at, known):
            break
        if _parsed(one) is None:
            break
        at = one
    return at


def _within(address: str, known: tuple[Network, ...]) -> bool:
    ip = _parsed(address)
    return ip is not None and any(ip in network for network in known)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped or ip

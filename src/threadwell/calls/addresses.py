"""Which addresses are within a private network, or this machine itself."""

from __future__ import annotations

import ipaddress

PRIVATE = (
    "{host} is in a private network or on this machine: if that is meant, allow it by its name "
    "(--allow-host {host})"
)

#: RFC 6052 §2.1: IPv4 addresses within IPv6.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def is_private(text: str) -> bool:
    """Whether an address is one that the whole Internet does not reach."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        # What stands for an address of the older kind leads there.
        translated = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        within = translated if address in _TRANSLATED else None
        address = address.ipv4_mapped or address.sixtofour or within or address
    return not address.is_global or address.is_multicast

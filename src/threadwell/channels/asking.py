"""Calls for files, which carry credentials: to the provider's own hosts, and to no other."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from threadwell.calls.call import Call
from threadwell.channels.account import Account
from threadwell.channels.live import Lost

_NOWHERE = "has no address that can be asked for"


def call_for(
    url: str,
    account: Account,
    domains: tuple[str, ...],
    credentials: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
) -> Call | Lost:
    """The call for what is at ``url``, by HTTPS, or by HTTP to one of ``account.hosts``.

    The ``credentials`` go along to those hosts, and to the provider's ``domains`` and what is below
    them; nobody else gets them, whatever a message names.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return Lost(_NOWHERE)
    named = host in account.hosts or f"{host}:{port}" in account.hosts
    if not host or parts.scheme not in ("http", "https") or (parts.scheme == "http" and not named):
        return Lost(_NOWHERE)
    theirs = any(host == domain or host.endswith(f".{domain}") for domain in domains)
    return Call("GET", url, {**(headers or {}), **(credentials if named or theirs else {})})

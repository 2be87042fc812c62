"""The call by which a rest-hook is told of a change. Pure."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from threadwell.calls.call import Call
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Change

#: The header that has the number of the event (``numbers``: hooks see everything).
NUMBER = "X-Threadwell-Event-Number"
#: Seconds for a call; and of an answer nothing counts but its status.
_SECONDS, _MOST = 20.0, 1024 * 1024
_SIGNED = "https://www.medplum.com/fhir/StructureDefinition/subscription-secret"


def call_of(
    id_: str, subscription: Resource, change: Change, found: bytes, allowed: tuple[str, ...]
) -> Call:
    """The POST to the endpoint of the Subscription with that logical id.

    Its body is what was ``found``, the changed resource as JSON, where there is a payload; of one
    that was deleted it is ``{}``. ``allowed`` are the hosts that may be private.
    """
    stored = change.stored
    channel: dict[str, Any] = subscription["channel"]
    payload = channel.get("payload", "")
    body = b""
    headers = dict(_header(line) for line in channel.get("header", ()))
    headers["X-Medplum-Subscription"] = id_
    headers[NUMBER] = str(change.position)
    if stored.deleted:
        headers["X-Medplum-Deleted-Resource"] = f"{stored.type}/{stored.id}"
        body = b"{}" if payload else b""
    elif payload:
        body = found
    if payload:
        headers["Content-Type"] = payload
    for extension in subscription.get("extension", ()):
        if extension["url"] == _SIGNED and "valueString" in extension:
            key = extension["valueString"].encode()
            headers["X-Signature"] = hmac.digest(key, body, hashlib.sha256).hex()
    endpoint = channel["endpoint"]
    return Call("POST", endpoint, headers, body, hosts=allowed, most=_MOST, seconds=_SECONDS)


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()

"""Deliveries as Meta makes them. People, numbers and ids are invented."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from threadwell.channels.account import Account
from threadwell.channels.delivery import Delivery
from threadwell.channels.live import Heard
from threadwell.channels.whatsapp_cloud import CHANNEL
from threadwell.messages import Address, AddressKind

assert CHANNEL.live is not None
LIVE = CHANNEL.live
ANA, BEN, DESK = "12075550111", "12075550122", "12125550100"
OWN = Address(AddressKind.PHONE, f"+{DESK}")
NOON = datetime(2025, 3, 3, 12, 30, tzinfo=UTC)
AT = "1741003200"  # 2025-03-03T12:00:00Z
VALUES = {"app_secret": "app-one", "verify_token": "open sesame", "access_token": "EAAG-not-real"}
ACCOUNT = Account("wa", "whatsapp_cloud", (OWN,), VALUES)


def message(number: int = 1, kind: str = "text", said: Any = None, **more: Any) -> dict[str, Any]:
    """A message of Ana's; ``said`` is what the member of its type holds."""
    said = {"body": "Is the clinic open?"} if said is None and kind == "text" else said
    out = {"from": ANA, "id": wamid(number), "timestamp": AT, "type": kind, **more}
    return {**out, kind: said} if said is not None else out


def wamid(number: int) -> str:
    return f"wamid.HBgLVEVTVA{number:04d}=="


def value(**members: Any) -> dict[str, Any]:
    """What is told in a change, at the number of the practice."""
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": DESK, "phone_number_id": "700100"},
        **members,
    }


def body(*changes: Mapping[str, Any], field: str = "messages") -> bytes:
    """The body of a delivery with a change for each value."""
    listed = [{"field": field, "value": change} for change in changes]
    entry = {"id": "900100", "changes": listed}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def of(*messages: dict[str, Any], **members: Any) -> bytes:
    """The body of a delivery of messages, with the name of who wrote."""
    contacts = [{"profile": {"name": "Ana Prado"}, "wa_id": ANA}]
    return body(value(contacts=contacts, messages=list(messages), **members))


def signed(content: bytes, secret: str = "app-one") -> str:
    return "sha256=" + hmac.digest(secret.encode(), content, "sha256").hex()


def delivery(content: bytes, signature: str | None = None) -> Delivery:
    headers = {"content-type": "application/json"}
    headers["x-hub-signature-256"] = signed(content) if signature is None else signature
    return Delivery("POST", ("https://clinic.example.org/hooks/wa",), headers, content, NOON)


def heard(content: bytes, account: Account = ACCOUNT) -> list[Heard]:
    """What a delivery holds."""
    return list(LIVE.parse(delivery(content), account, "US"))

"""Messages as people sent them: the first station of the house.

Nothing here knows of FHIR, of storage or of any one channel.

A module is loaded when something of it is asked for: what numbers of phones are takes long to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadwell.messages.address import Address, AddressKind
    from threadwell.messages.mail_address import email_spellings, parse_email
    from threadwell.messages.media_type import (
        OCTETS,
        MediaType,
        media_type_of,
        parse_media_range,
        parse_media_type,
    )
    from threadwell.messages.message import Attachment, Broken, Message
    from threadwell.messages.parse import parse_address
    from threadwell.messages.phone import parse_phone, spellings

__all__ = [
    "OCTETS",
    "Address",
    "AddressKind",
    "Attachment",
    "Broken",
    "MediaType",
    "Message",
    "email_spellings",
    "media_type_of",
    "parse_address",
    "parse_email",
    "parse_media_range",
    "parse_media_type",
    "parse_phone",
    "spellings",
]

_ROOMS: dict[str, tuple[str, ...]] = {
    "address": ("Address", "AddressKind"),
    "message": ("Attachment", "Broken", "Message"),
    "media_type": ("MediaType", "OCTETS", "media_type_of", "parse_media_range", "parse_media_type"),
    "mail_address": ("email_spellings", "parse_email"),
    "parse": ("parse_address",),
    "phone": ("parse_phone", "spellings"),
}
_HOMES = {name: f"{__name__}.{room}" for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found

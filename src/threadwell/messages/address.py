"""Where a message comes from or goes to: a phone number, a mail address or a channel's own id."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

_ARGENTINA, _MOBILE_IN_ARGENTINA = "+54", "+549"


class AddressKind(StrEnum):
    """What an address is an address of. The values are FHIR's ContactPoint systems."""

    PHONE = "phone"
    EMAIL = "email"
    OTHER = "other"

    #: That of its text, with which it is equal, too. Every address is looked up by it, often.
    __hash__ = str.__hash__


class Address(NamedTuple):
    """One normalised address; equal addresses reach the same mailbox or handset.

    ``value`` is E.164 for a phone (``+15551230100``; a short code stays its digits), lower case
    for a mail address, and ``<channel>:<id>`` for anything else (``whatsapp:Ana Prado``).
    ``display`` is the name that came with it, and takes no part in identity: compare ``key``.
    Argentina writes a mobile number as ``+54 9 …`` and as ``+54 …``; the key is the same.
    """

    kind: AddressKind
    value: str
    display: str = ""

    @property
    def key(self) -> tuple[AddressKind, str]:
        """What makes two addresses the same."""
        value = self.value
        if value.startswith(_MOBILE_IN_ARGENTINA):
            value = _ARGENTINA + value[len(_MOBILE_IN_ARGENTINA) :]
        return self.kind, value

"""Where a message comes from or goes to: a phone number, a mail address or a channel's own id."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class AddressKind(StrEnum):
    """What an address is an address of. The values are FHIR's ContactPoint systems."""

    PHONE = "phone"
    EMAIL = "email"
    OTHER = "other"


class Address(NamedTuple):
    """One normalised address; equal addresses reach the same mailbox or handset.

    ``value`` is E.164 for a phone (``+15551230100``; a short code stays its digits), lower case
    for a mail address, and ``<channel>:<id>`` for anything else (``whatsapp:Ana Prado``).
    ``display`` is the name that came with it, and takes no part in identity: compare ``key``.
    """

    kind: AddressKind
    value: str
    display: str = ""

    @property
    def key(self) -> tuple[AddressKind, str]:
        """What makes two addresses the same."""
        return self.kind, self.value

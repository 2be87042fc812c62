"""Messages as people sent them: the first station of the house.

Nothing here knows of FHIR, of storage or of any one channel.
"""

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

"""Messages as people sent them: the first station of the house.

Nothing here knows of FHIR, of storage or of any one channel.
"""

from threadwell.messages.address import Address, AddressKind
from threadwell.messages.mail_address import email_spellings, parse_email
from threadwell.messages.message import Attachment, Broken, Message
from threadwell.messages.parse import parse_address
from threadwell.messages.phone import parse_phone, spellings

__all__ = [
    "Address",
    "AddressKind",
    "Attachment",
    "Broken",
    "Message",
    "email_spellings",
    "parse_address",
    "parse_email",
    "parse_phone",
    "spellings",
]

"""The parser of addresses that may be of either kind."""

from __future__ import annotations

from threadwell.messages.address import Address
from threadwell.messages.mail_address import parse_email
from threadwell.messages.phone import parse_phone


def parse_address(text: str, country: str) -> Address | None:
    """The phone number or mail address that ``text`` is; ``None`` if it is neither.

    ``country`` is as ``parse_phone`` takes it.
    """
    return parse_phone(text, country) or (parse_email(text) if "@" in text else None)

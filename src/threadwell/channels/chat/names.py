"""What things are called in an app's chat: addresses, threads, and the ids of messages. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from threadwell.channels.account import Account
from threadwell.messages import Address, AddressKind

NAME = "chat"

#: A patient's id in the app. With ``@`` it would be a mail address, which others may have later.
WHO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:=|+-]{0,99}")
#: The id that an app gives to a message of its own.
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")


class Patient(NamedTuple):
    """A patient as an app knows them: ``who`` is their id in the app of an account."""

    account: str
    who: str

    @property
    def address(self) -> Address:
        """Their address: an id means something in its own app alone."""
        return Address(AddressKind.OTHER, f"{NAME}:{self.account}/{self.who}")

    @property
    def thread(self) -> str:
        """Their one thread with the practice."""
        return f"{self.address.value},{own_address(self.account).value}"

    def external_id(self, key: str) -> str:
        """The id of a message that their app calls ``key``."""
        return f"{self.account}/{self.who}/{key}"

    def key_of(self, external_id: str) -> str:
        """What their app calls a message; ``""`` where it is none of theirs."""
        start = self.external_id("")
        return external_id[len(start) :] if external_id.startswith(start) else ""


def own_address(account: str) -> Address:
    """The practice's own address in the app of an account."""
    return Address(AddressKind.OTHER, f"{NAME}:{account}")


def origins_of(account: Account) -> frozenset[str]:
    """The origins (RFC 6454) of the web pages that may use the app's API."""
    return frozenset(one for one in account.value("origins").split() if _is_origin(one))


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    written = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}"
    return (
        parts.scheme in ("http", "https")
        and bool(host)
        and text == (f"{written}:{port}" if port is not None else written)
    )

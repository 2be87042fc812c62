"""What things are called in an app's chat: addresses, threads, and the ids of messages. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from threadwell.channels.account import Account
from threadwell.messages import Address, AddressKind

NAME = "chat"

#: A patient's id in the app. With ``@`` it would be a mail address, which others may have later.
WHO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:=|+-]{0,99}")
#: A patient's identifier at the practice instead: an absolute system, a bar, and the value.
_IDENTIFIER = re.compile(r"(?:https?://|urn:)[!-{}~]{1,150}\|[!-{}~]{1,60}")
#: What of one stays as it is in the name of an address; no ``/``, which parts names of ours.
_PLAIN = ":|=~+"
#: The id that an app gives to a message of its own.
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")


class Patient(NamedTuple):
    """A patient as an app knows them: ``who`` is their id in the app of an account.

    It may also be an identifier that they have at the practice (``who_of``).
    """

    account: str
    who: str

    @property
    def address(self) -> Address:
        """Their address: an id means something in its own app alone, an identifier in all."""
        if _is_identifier(self.who):
            return Address(AddressKind.OTHER, f"{NAME}:{self.who}")
        return Address(AddressKind.OTHER, f"{NAME}:{self.account}/{self.who}")

    @property
    def told(self) -> str:
        """Who it is, as their app has said it."""
        return unquote(self.who) if _is_identifier(self.who) else self.who

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


def who_of(sub: str) -> str | None:
    """``who`` of a ``Patient``, as a token names them; ``None`` where it can be nobody.

    That is an id of the app, or ``system|value`` of a ``Patient.identifier`` of the practice.
    """
    if _IDENTIFIER.fullmatch(sub) and "%" not in sub:
        return quote(sub, safe=_PLAIN)
    return sub if WHO.fullmatch(sub) and not _is_identifier(sub) else None


def identifier_address(system: str, value: str) -> Address | None:
    """The address of whoever has that identifier; ``None`` where no app can name it."""
    who = who_of(f"{system}|{value}")
    named = who is not None and _is_identifier(who) and "|" not in system
    return Address(AddressKind.OTHER, f"{NAME}:{who}") if named else None


def identifier_of(address: Address) -> tuple[str, str] | None:
    """The system and value by which an address names a patient; ``None`` for any other."""
    name = address.value.removeprefix(f"{NAME}:")
    if name == address.value or not _is_identifier(name):
        return None
    system, _, value = unquote(name).partition("|")
    return system, value


def _is_identifier(who: str) -> bool:
    return "|" in who and who.startswith(("http:%2F%2F", "https:%2F%2F", "urn:"))


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

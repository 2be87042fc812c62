"""Values as Meta writes them: ids, times and people."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from threadwell.channels.records import id_of, text_of
from threadwell.messages import Address, AddressKind, parse_phone

NAME = "whatsapp_cloud"

#: 2009 to 2100: WhatsApp was founded in 2009.
_FIRST, _LAST = 1_230_768_000, 4_102_444_800


def word_of(record: dict[str, Any], name: str) -> str:
    """A member that is a text or a whole number, as text; ``""`` for anything else."""
    found = id_of(record.get(name))
    return found if isinstance(found, str) else ""


def map_of(record: dict[str, Any], name: str) -> dict[str, Any]:
    """A member that is an object; an empty one for anything else."""
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def parse_time(record: dict[str, Any]) -> datetime | None:
    """The moment of ``timestamp``, seconds since 1970 UTC; ``None`` where it is none."""
    said = word_of(record, "timestamp")
    if not (said.isascii() and said.isdigit() and len(said) <= len(str(_LAST))):
        return None
    seconds = int(said)
    return datetime.fromtimestamp(seconds, UTC) if _FIRST <= seconds <= _LAST else None


def parse_person(record: dict[str, Any], phone: str, user: str, country: str) -> Address | None:
    """Who the members of these two names mean; ``None`` where they are both empty.

    A ``wa_id`` is a number in E.164 without its plus. Who has a user name may hide the number: then
    there is only an id that this practice alone knows them by.
    """
    written = word_of(record, phone)
    number = parse_number(written, country)
    if number is not None:
        return number
    other = word_of(record, user) or written
    return Address(AddressKind.OTHER, f"{NAME}:{other}") if other else None


def parse_number(written: str, country: str) -> Address | None:
    """The phone number of a ``wa_id``, or as Meta shows it to people."""
    digits = "".join(c for c in written if c.isascii() and c.isdigit())
    if not digits or any(c.isalpha() for c in written):
        return None
    return parse_phone(f"+{digits}", country)


def own_of(value: dict[str, Any], owner: tuple[Address, ...], country: str) -> Address:
    """The practice's number that a delivery is about."""
    metadata = map_of(value, "metadata")
    shown = parse_number(text_of(metadata, "display_phone_number"), country)
    if shown is not None:
        return shown
    named = word_of(metadata, "phone_number_id") or "owner"
    return owner[0] if owner else Address(AddressKind.OTHER, f"{NAME}:{named}")


def written(value: object) -> bytes:
    """A part of a delivery as JSON: the same bytes, in whatever delivery it comes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")

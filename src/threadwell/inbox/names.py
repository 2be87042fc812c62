"""What people and things are called on a page."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import phonenumbers

from threadwell.encounters.codes import EXT_NEW_TEXT
from threadwell.encounters.names import resource_name
from threadwell.inbox.reader import Reader, key_of

_ROLES = {
    "Patient": "Patient",
    "RelatedPerson": "Related person",
    "Practitioner": "Practitioner",
    "PractitionerRole": "Practitioner",
    "Organization": "Practice",
    "Group": "Several patients",
    "Device": "Device",
}
#: Those who write for the practice; their messages stand on the right.
OURS = frozenset({"Practitioner", "PractitionerRole", "Organization", "CareTeam", "Device"})


def name_of(reference: Any, reader: Reader | None) -> str:
    """The name of whom a ``Reference`` refers to: their own, else the display, else the id."""
    resource = reader.known(reference) if reader else None
    own = resource_name(resource) if resource else ""
    if own:
        return own
    if isinstance(reference, dict):
        shown = reference.get("display") or reference.get("reference")
        return address_text(str(shown)) if shown else "Somebody"
    return "Somebody"


def role_of(reference: Any, reader: Reader) -> str:
    """What somebody is to the practice: ``Patient``, ``Mother``, ``Practitioner`` …"""
    key = key_of(reference)
    resource = reader.known(reference)
    for relationship in (resource or {}).get("relationship") or ():
        if word := concept_text(relationship):
            return word[:1].upper() + word[1:]
    return _ROLES.get(key.type, key.type) if key else ""


def address_text(value: str, display: str = "") -> str:
    """An address as people write it: ``Dana (+1 207-555-0177)``."""
    bare = _phone_text(value) if value.startswith("+") else value.removeprefix("mailto:")
    if value.startswith("whatsapp:"):
        bare = f"{value.removeprefix('whatsapp:')} on WhatsApp"
    return f"{display} ({bare})" if display and display != value else bare


@lru_cache(maxsize=1024)
def _phone_text(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def concept_text(concept: Any) -> str:
    """A ``CodeableConcept`` for people: its text, else a display, else a code."""
    if not isinstance(concept, dict):
        return ""
    codings = concept.get("coding") or ()
    words = [concept.get("text"), *(c.get("display") for c in codings)]
    return str(next(filter(None, [*words, *(c.get("code") for c in codings)]), ""))


def new_text(payload: dict[str, Any]) -> str:
    """What its sender wrote now, where a message's text quotes more; else ``""``."""
    for extension in payload.get("extension") or ():
        if extension.get("url") == EXT_NEW_TEXT:
            return str(extension.get("valueString", "")).strip()
    return ""

"""The identifiers of what Threadwell writes, and the logical ids that follow from them.

docs/adr/0004-identity.md tells why each is made out of what it is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import derived_id

#: Stands in the place of the scope in the identity of a session that an act has opened: its thread
#: may not be known yet.
OPENED = "opened"

_OF_SESSIONS = (codes.SESSION, codes.HEADER, codes.MEDICAL, codes.GROUP, codes.REVIEW)

#: How the external id begins of a message that was a draft before: its logical id follows.
DRAFT = "reply:draft/"


class Identity(NamedTuple):
    """An identifier of Threadwell's own; the same thing has the same one whenever it is met."""

    system: str
    value: str

    @property
    def id(self) -> str:
        """The logical id of the resource that has it: a draft keeps its own once it is sent."""
        system, value = self
        if value.startswith(DRAFT) and system.startswith(codes.MESSAGE):
            return value.removeprefix(DRAFT)
        return derived_id(system, value)

    def as_json(self) -> dict[str, Any]:
        """The FHIR ``Identifier``."""
        return {"system": self.system, "value": self.value}

    def as_secondary(self) -> dict[str, Any]:
        """The FHIR ``Identifier`` that only helps to find the resource."""
        return {"use": "secondary", "system": self.system, "value": self.value}


def message_identity(channel: str, external_id: str, apart: str = "") -> Identity:
    """Of a child Communication: the provider's message id.

    Where several messages have that id, each is told ``apart`` by a digest of what it says.
    """
    if apart:
        return Identity(codes.APART + channel, f"{external_id}|{apart}")
    return Identity(codes.MESSAGE + channel, external_id)


def session_identity(policy: str, scope: str, mark: str) -> Identity:
    """Of a session encounter: its policy, its thread or patients, and its first message or day."""
    parts = (policy, scope) if mark == scope else (policy, scope, mark)
    return Identity(codes.SESSION, "|".join(parts))


def opened_identity(policy: str, act: str) -> Identity:
    """Of a session encounter that an act has opened, by the logical id of the act's Task."""
    return Identity(codes.SESSION, f"{policy}|{OPENED}|{act}")


def opening_of(encounter: Resource) -> str:
    """The logical id of the act that has opened a session encounter, ``""`` if none has."""
    for one in encounter.get("identifier") or ():
        _, _, rest = str(one.get("value", "")).partition("|")
        if one.get("system") == codes.SESSION and rest.startswith(f"{OPENED}|"):
            return rest.removeprefix(f"{OPENED}|")
    return ""


def opened_by(resource: Resource) -> str:
    """The logical id of the act that has opened the session of which this is, ``""`` if none has.

    A session encounter, its headers, Group, review Task and medical encounters are of it.
    """
    for one in resource.get("identifier") or ():
        parts = str(one.get("value", "")).split("|", 3)
        if one.get("system") in _OF_SESSIONS and len(parts) > 2 and parts[1] == OPENED:
            return parts[2]
    return ""


def header_identity(session: Identity, scope: str, thread: str) -> Identity:
    """Of a thread header: the session that it belongs to, and the thread if that has several."""
    return Identity(codes.HEADER, session.value if scope == thread else f"{session.value}|{thread}")


def medical_identity(session: Identity, patient: str) -> Identity:
    """Of a medical encounter: its session and its patient (``Patient/…``)."""
    return Identity(codes.MEDICAL, f"{session.value}|{patient}")


def group_identity(session: Identity) -> Identity:
    """Of the Group of a session's patients."""
    return Identity(codes.GROUP, session.value)


def review_identity(session: Identity) -> Identity:
    """Of the Task that asks which patients a session is about."""
    return Identity(codes.REVIEW, session.value)

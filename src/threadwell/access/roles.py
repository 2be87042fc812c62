"""Ready-made policies, by the role that has them: AccessPolicy resources to start from.

``%profile`` is whoever has the role. Each is an ordinary AccessPolicy: it may be shown, changed,
and kept under another name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from threadwell.fhir.resource import Resource

#: Who people are, and what a practice is made of: read by all who work there.
_PRACTICE = ("Practitioner", "PractitionerRole", "Organization", "CareTeam", "Location")
_PEOPLE = ("Patient", "RelatedPerson")
#: What a message is found by, beside those who take part.
_IN_THREAD = "part-of:Communication"
_HAS = "_has:Communication:encounter"
_FILE = "_has:Communication:attachment"
#: What says what a message is about, in words.
_WORDS = (
    *("payload", "text", "note", "topic", "contained", "extension"),
    *("reasonCode", "reasonReference", "statusReason", "about"),
)


def role(name: str) -> Resource:
    """The AccessPolicy of a role; raises ``KeyError`` for none of ``ROLES``."""
    _, entries = _ROLES[name]
    return {"resourceType": "AccessPolicy", "name": name, "resource": list(entries)}


def about_role(name: str) -> str:
    """What the role is for, in a sentence."""
    return _ROLES[name][0]


def _read(type_: str, criteria: str = "", **more: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"resourceType": type_, "readonly": True, **more}
    return {**entry, "criteria": f"{type_}?{criteria}"} if criteria else entry


def _write(type_: str, criteria: str = "", *interactions: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"resourceType": type_}
    if criteria:
        entry["criteria"] = f"{type_}?{criteria}"
    if interactions:
        entry["interaction"] = list(interactions)
    return entry


def _threads(who: str, link: str, *, medical: bool = True) -> list[dict[str, Any]]:
    """The threads that somebody takes part in, by ``link=who``, with all that belongs to them;
    ``medical``, also the care of each patient that a thread is about.
    """
    care = _read("Encounter", f"part-of:Encounter.{_HAS}:{link}={who}")
    return [
        _read("Communication", f"part-of:missing=true&{link}={who}"),
        _read("Communication", f"{_IN_THREAD}.{link}={who}"),
        _read("Encounter", f"{_HAS}:{link}={who}"),
        _read("Binary", f"{_FILE}:{_IN_THREAD}.{link}={who}"),
        *([care] if medical else []),
    ]


def _kept(who: str) -> list[dict[str, Any]]:
    """What was said to or by somebody themselves, whether they still take part or not."""
    return [
        _read("Communication", f"participant={who}"),
        _read("Binary", f"{_FILE}:participant={who}"),
    ]


_WRITES = [
    _write("Communication", "sender=%profile", "create", "update", "read", "search"),
    _write("Binary", "", "create"),
]
_COLLEAGUES = [_read(type_) for type_ in (*_PRACTICE, *_PEOPLE)]
#: Replies that are kept under a name, for those of the practice who write.
_SAVED = _read("ActivityDefinition")
_MINE = [_write("Task", "owner=%profile", "read", "search", "update", "history", "vread")]

_Role = tuple[str, Sequence[Mapping[str, Any]]]
_ROLES: Mapping[str, _Role] = {
    "participant": (
        "the threads that they take part in; who is removed loses them, also what came before",
        [*_threads("%profile", "participant"), *_WRITES, *_MINE, *_COLLEAGUES, _SAVED],
    ),
    "participant-keeps-past": (
        "the same, and who is removed keeps the messages that were to or from them",
        [
            *_kept("%profile"),
            # A header that they are in is one of those.
            *_threads("%profile", "participant")[1:],
            *_WRITES,
            *_MINE,
            *_COLLEAGUES,
            _SAVED,
        ],
    ),
    "care-team": (
        "the threads of one patient, and those that they take part in",
        [
            *_threads("%patient", "subject"),
            *_threads("%profile", "participant"),
            _read("Encounter", "subject=%patient"),
            *_WRITES,
            *_MINE,
            *_COLLEAGUES,
            _SAVED,
        ],
    ),
    "supervisor": ("all there is, to read", [_read("*")]),
    "billing": (
        "encounters and who they are of; of messages who and when, and not what they say",
        [
            *(_read(type_) for type_ in ("Encounter", "Coverage", "Account", "ChargeItem")),
            *(_write(type_) for type_ in ("Claim", "Invoice")),
            _read("Communication", hiddenFields=list(_WORDS)),
            *_COLLEAGUES,
        ],
    ),
    "patient": (
        "their own threads, sessions and files, and themselves",
        [
            *_threads("%profile", "participant", medical=False),
            _read("Encounter", "subject=%profile"),
            _read("Patient", "_id=%profile.id"),
            _read("RelatedPerson", "patient=%profile"),
            *_WRITES,
            *(_read(type_) for type_ in ("Practitioner", "PractitionerRole", "Organization")),
        ],
    ),
    "proxy": (
        "what concerns a patient whom they stand for, until the patient is of age (policy age)",
        [
            *_threads("%patient", "subject", medical=False),
            *_threads("%profile", "participant", medical=False),
            _read("Encounter", "subject=%patient"),
            _read("Patient", "_id=%patient.id"),
            _read("RelatedPerson", "patient=%patient"),
            *_WRITES,
            *(_read(type_) for type_ in ("Practitioner", "PractitionerRole", "Organization")),
        ],
    ),
    "system": ("everything, as a program of the practice's own", [_write("*")]),
}
#: The names of the roles.
ROLES = tuple(_ROLES)

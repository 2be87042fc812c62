"""What a session is: the one place that says so, for lists, pages and checks alike.

A session encounter is an Encounter of class VR that is part of no other and is no medical
encounter. That holds for those that Threadwell makes and for those made by hand as Medplum's guide
tells, which need neither the tag ``session`` nor a subject.
"""

from __future__ import annotations

from collections.abc import Iterable

from threadwell.encounters import codes
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Filter, MissingFilter, TokenFilter
from threadwell.fhir.search.sought import TokenMatch

_MEDICAL = codes.MEDICAL_TAG["code"]

#: ``is_session`` as a search; superseded ones are among them.
SESSIONS: tuple[Filter, ...] = (
    TokenFilter("class", (TokenMatch(codes.ACT_CODE, codes.VIRTUAL["code"]),)),
    MissingFilter("part-of", missing=True),
    TokenFilter("type", (TokenMatch(codes.ENCOUNTER_TYPE, _MEDICAL),), negate=True),
)


def is_session(encounter: Resource) -> bool:
    """Whether an Encounter stands for a session."""
    class_ = encounter.get("class") or {}
    return is_session_of(
        class_.get("code", "") if class_.get("system") == codes.ACT_CODE else "",
        tags_of(encounter),
        bool(encounter.get("partOf")),
    )


def is_session_of(class_: str, tags: Iterable[str], has_parent: bool) -> bool:
    """The same by what counts: the v3 ActCode of its class, its tags, and if it is a part."""
    return class_ == codes.VIRTUAL["code"] and not has_parent and _MEDICAL not in tags


def tags_of(encounter: Resource) -> frozenset[str]:
    """The codes of the encounter-type system among an Encounter's types."""
    return frozenset(
        str(coding.get("code", ""))
        for concept in encounter.get("type") or ()
        for coding in concept.get("coding") or ()
        if coding.get("system") == codes.ENCOUNTER_TYPE
    )

"""As much of a live resource as the rules look at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.merge import is_locked
from threadwell.encounters.pattern import is_session_of, tags_of
from threadwell.encounters.turned import removed_from
from threadwell.fhir.resource import Resource
from threadwell.intake.reports.verify.kept import ByName

#: The status of an Encounter that somebody has opened, or that ended before anybody wrote.
_UNWRITTEN = ("arrived", "cancelled")
_OURS = (codes.HEADER, codes.SESSION, codes.MEDICAL)


class Thread(NamedTuple):
    """A thread header. All but ``identity`` are references, ``""`` if absent."""

    identity: str
    encounter: str
    sender: str
    recipients: frozenset[str]
    former: str
    payload: bool
    left: frozenset[str] = frozenset()
    subject: str = ""


class Child(NamedTuple):
    """A message of a thread."""

    header: str
    sender: str
    encounter: str
    payload: bool
    retracted: bool
    subject: str = ""


class Care(NamedTuple):
    """An Encounter; ``tags`` are the codes of the encounter-type system, ``locked`` if billed.

    Nobody has to have written where it ``waits``, or has been cancelled.
    """

    identity: str
    class_: str
    tags: frozenset[str]
    subject: str
    part_of: str
    participants: frozenset[str]
    locked: bool
    waits: bool = False
    cancelled: bool = False

    @property
    def is_session(self) -> bool:
        """Whether it stands for a session, as everywhere else."""
        return is_session_of(self.class_, self.tags, bool(self.part_of))


@dataclass(slots=True)
class Facts:
    """The live headers and Encounters of a store by reference, ``Type/id``; some ``children``.

    ``messages`` are those that the children are part of although these are messages themselves.
    ``withdrawn`` are those that are ``entered-in-error``. ``related`` has the patient of every
    RelatedPerson, and ``replaced`` the Patients who were merged into another one.
    """

    threads: ByName[Thread] = field(default_factory=ByName)
    children: dict[str, Child] = field(default_factory=dict)
    cares: ByName[Care] = field(default_factory=ByName)
    withdrawn: ByName[bool] = field(default_factory=ByName)
    related: ByName[str] = field(default_factory=ByName)
    replaced: Collection[str] = ()
    messages: set[str] = field(default_factory=set)
    _billed: ByName[bool] | None = None

    def close(self) -> None:
        """Let go of all of them."""
        for one in (self.threads, self.cares, self.withdrawn, self.related, self._billed):
            if one is not None:
                one.close()

    @property
    def billed(self) -> ByName[bool]:
        """The Encounters that were billed, and the sessions of which one patient's part was.

        All Encounters have to be there by then.
        """
        if self._billed is None:
            self._billed = ByName()
            for name, care in self.cares.walk():
                if care.locked:
                    self._billed[name] = self._billed[care.part_of] = True
        return self._billed

    def add(self, resource: Resource) -> None:
        """Take in a Communication, an Encounter or a RelatedPerson."""
        name = intern(f"{resource['resourceType']}/{resource['id']}")
        status = resource.get("status")
        if resource["resourceType"] == "RelatedPerson":
            self.related[name] = _target(resource.get("patient"))
            return
        child = resource["resourceType"] == "Communication" and bool(resource.get("partOf"))
        if status == "entered-in-error" and not child:
            self.withdrawn[name] = True
        elif child and status != "preparation":  # A draft is no message yet.
            self.children[name] = _child(resource, status == "entered-in-error")
        elif resource["resourceType"] == "Communication" and not child:
            self.threads[name] = _thread(resource)
        elif resource["resourceType"] == "Encounter":
            self.cares[name] = _care(resource)


def _thread(resource: Resource) -> Thread:
    return Thread(
        _identity(resource),
        _target(resource.get("encounter")),
        _target(resource.get("sender")),
        _those(frozenset(_target(one) for one in resource.get("recipient") or ())),
        _target(next(iter(resource.get("inResponseTo") or ()), None)),
        bool(resource.get("payload")),
        removed_from(resource),
        _target(resource.get("subject")),
    )


def _child(resource: Resource, retracted: bool) -> Child:
    return Child(
        _target(resource["partOf"][0]),
        _target(resource.get("sender")),
        _target(resource.get("encounter")),
        bool(resource.get("payload")),
        retracted,
        _target(resource.get("subject")),
    )


def _care(resource: Resource) -> Care:
    class_ = resource.get("class") or {}
    return Care(
        _identity(resource),
        class_.get("code", "") if class_.get("system") == codes.ACT_CODE else "",
        _those(tags_of(resource)),
        _target(resource.get("subject")),
        _target(resource.get("partOf")),
        _those(
            frozenset(_target(one.get("individual")) for one in resource.get("participant") or ())
        ),
        is_locked(resource),
        resource.get("status") in _UNWRITTEN,
        resource.get("status") == "cancelled",
    )


def _identity(resource: Resource) -> str:
    for identifier in resource.get("identifier") or ():
        if identifier.get("system") in _OURS:
            return f"{identifier['system']}|{identifier.get('value', '')}"
    return ""


def _target(reference: Any) -> str:
    # Millions of messages name few people and threads.
    return intern(str(reference.get("reference", ""))) if reference else ""


@lru_cache(maxsize=10_000)
def _those(names: frozenset[str]) -> frozenset[str]:
    """The same people are kept once, in however many threads they are."""
    return names

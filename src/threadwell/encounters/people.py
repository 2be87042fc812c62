"""Who stands behind an address, and as whom they speak in a session (encounters of §3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from threadwell.encounters import codes
from threadwell.messages import Address, AddressKind


class Party(NamedTuple):
    """Everybody who is known to have one address. References are ``Type/id``.

    ``patients`` have it as their own. ``related`` pairs each patient with a RelatedPerson who has
    it, in order. ``practice`` is the Practitioner, PractitionerRole or Organization. ``stranger``
    says that nothing but the address is known of the patient. ``said`` is the Task (``Task/…``) in
    which a person has said that just those use the address, ``""`` where nobody has.
    """

    address: Address
    patients: tuple[str, ...] = ()
    related: tuple[tuple[str, str], ...] = ()
    practice: str = ""
    stranger: bool = False
    said: str = ""

    @property
    def known(self) -> bool:
        """Whether anybody at all has the address."""
        return bool(self.patients or self.related or self.practice)

    @property
    def shared(self) -> bool:
        """Whether several patients have it as their own, and nobody has said who writes."""
        return len(self.patients) > 1 and not self.said

    @property
    def joint(self) -> bool:
        """Whether several people use it by what a person has said: which of them writes is open."""
        return bool(self.said) and len(self.patients) + bool(self.related) > 1

    @property
    def circle(self) -> set[str]:
        """The patients that a message from or to it may be about."""
        return {*self.patients, *(patient for patient, _ in self.related)}

    @property
    def users(self) -> tuple[str, ...]:
        """The patients and family who have it (``Patient/…``, ``RelatedPerson/…``), in order."""
        return (*self.patients, *(person for _, person in self.related))

    def limited(self, persons: Collection[str], said: str) -> Party:
        """The party of those ``persons`` alone, as the Task ``said`` tells.

        Where none of them has the address, what was said is of no use: everybody then.
        """
        patients = tuple(one for one in self.patients if one in persons)
        related = tuple(pair for pair in self.related if pair[1] in persons)
        if not patients and not related:
            return self
        return self._replace(patients=patients, related=related, said=said)

    def voice(self, circle: Collection[str], subjects: Collection[str]) -> str:
        """The reference as which it speaks in a session about ``subjects`` of ``circle``.

        ``""`` where it cannot be told: nobody is known, several people use it, or two
        RelatedPersons of one patient share it. A RelatedPerson belongs to one patient (§3), so
        that the mother of two speaks as the one of the first patient whom the session is about, and
        in a session about somebody else's child as nobody but her address. Until it is known whom a
        session is about, she has to speak as somebody all the same: as the RelatedPerson of the
        circle's first patient.
        """
        if self.joint:
            return ""
        own = [patient for patient in self.patients if patient in circle]
        if own:
            return own[0] if len(own) == 1 else ""
        related = [pair for pair in self.related if pair[0] in circle]
        if not related:
            return self.practice
        fitting = [pair for pair in related if pair[0] in subjects] if subjects else related
        return self.voice_for(fitting[0][0]) if fitting else self.practice

    def voice_for(self, patient: str) -> str:
        """The RelatedPerson of ``patient`` who has the address; ``""`` if none or several."""
        persons = [person for whose, person in self.related if whose == patient]
        return persons[0] if len(persons) == 1 else ""


@lru_cache(maxsize=65_536)
def reference(to: str) -> dict[str, Any]:
    """The ``Reference`` to a resource. It is shared: never change it."""
    return {"reference": to}


def kept_reference(stored: Any, to: str) -> dict[str, Any]:
    """The ``Reference`` to a resource, as it is ``stored`` if that refers to it, too.

    Others may have added a display, or written it with the server's address or a version.
    """
    if isinstance(stored, dict):
        there = str(stored.get("reference", "")).partition("/_history/")[0]
        if there == to or there.endswith(f"/{to}"):
            return stored
    return reference(to)


@lru_cache(maxsize=65_536)
def actor(to: str, address: Address, said: str = "") -> dict[str, Any]:
    """The ``Reference`` to a sender or recipient, with the address that was used.

    Without ``to`` it is the address alone, under the name that came with it. ``said`` is the Task
    (``Task/…``) in which a person has said whose the address is. It is shared: never change it.
    """
    point: dict[str, Any] = {"system": str(address.kind), "value": address.value}
    if said:
        point = {
            "extension": [{"url": codes.EXT_WRITER, "valueReference": reference(said)}],
            **point,
        }
    extension = [{"url": codes.EXT_ADDRESS, "valueContactPoint": point}]
    if to:
        return {"extension": extension, "reference": to}
    return {"extension": extension, "display": address.display or address.value}


def address_of(actor_: Mapping[str, Any]) -> Address | None:
    """The address on a ``Reference`` that ``actor`` made; ``None`` on any other."""
    return next(iter(addresses_of(actor_)), None)


def addresses_of(actor_: Mapping[str, Any]) -> list[Address]:
    """The addresses on a ``Reference``: several where one person was written to at several."""
    return [Address(AddressKind(one["system"]), one["value"]) for one in _points(actor_)]


def said_of(actor_: Mapping[str, Any]) -> list[str]:
    """The Tasks in which a person has said whose these addresses are, ``""`` where nobody has."""
    return [
        next(
            (
                str((one.get("valueReference") or {}).get("reference", ""))
                for one in point.get("extension") or ()
                if one.get("url") == codes.EXT_WRITER
            ),
            "",
        )
        for point in _points(actor_)
    ]


def _points(actor_: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        extension["valueContactPoint"]
        for extension in actor_.get("extension") or ()
        if extension.get("url") == codes.EXT_ADDRESS
    ]

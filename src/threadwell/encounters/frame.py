"""What a projection needs to know beside the messages of one session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.people import Party
from threadwell.encounters.placed import Placed


@dataclass(frozen=True, slots=True)
class Frame:
    """The circle of a session, and the settings of the practice.

    ``patients`` are the circle's, in order, and ``circle`` its key. ``parties`` are by the keys
    that ``Placed.sender`` and ``Placed.recipients`` hold. ``policy`` names the session policy,
    ``scope`` what it ran over: a thread's key or the circle's. ``provider`` is the reference of
    the Organization, ``""`` if none is known; ``clinical`` the coding of the clinical type, and
    ``clinical_of`` that of sessions of some channels. ``labels`` are what people call channels.
    """

    circle: str
    patients: tuple[str, ...]
    parties: Mapping[str, Party]
    policy: str
    scope: str
    provider: str = ""
    clinical: Mapping[str, Any] = field(default_factory=lambda: codes.BY_COMPUTER_LINK)
    clinical_of: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    _voices: dict[tuple[str, ...], Voices] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def voices(self, subjects: tuple[str, ...]) -> Voices:
        """As whom addresses speak in the sessions about those patients."""
        found = self._voices.get(subjects)
        if found is None:
            found = self._voices[subjects] = Voices(self.parties, self.patients, subjects)
        return found

    def label(self, channel: str) -> str:
        """What people call a channel; its name, where nobody has said."""
        return self.labels.get(channel, channel)

    def clinical_type(self, channels: Iterable[str]) -> Mapping[str, Any]:
        """The coding for a session over those channels: theirs, if they have the same one."""
        if not self.clinical_of:
            return self.clinical
        found = [self.clinical_of.get(channel, self.clinical) for channel in channels]
        return found[0] if found and all(one == found[0] for one in found) else self.clinical


class Voices:
    """As whom the addresses of a circle speak in sessions about the same patients, ``subjects``.

    They go few ways, so each is asked once.
    """

    __slots__ = ("_known", "_parties", "_patients", "_settled", "_subjects")

    def __init__(
        self, parties: Mapping[str, Party], patients: tuple[str, ...], subjects: tuple[str, ...]
    ) -> None:
        self._parties = parties
        self._patients = patients
        self._subjects = subjects
        self._known: dict[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]] = {}
        self._settled = any(party.said for party in parties.values())

    def of(self, message: Placed) -> tuple[str, tuple[str, ...]]:
        """The references of sender and recipients, ``""`` where nobody is known."""
        keys = (message.sender, message.recipients)
        known = self._known.get(keys)
        if known is None:
            sender, recipients = keys
            known = self._known[keys] = self._voice(sender), tuple(map(self._voice, recipients))
        return known

    def said(self, message: Placed) -> tuple[str, ...]:
        """The Tasks that tell whose the addresses of a message are, as ``Link`` has them."""
        if not self._settled:
            return ()
        keys = (message.sender, *message.recipients)
        said = tuple([self._parties[key].said for key in keys])
        return said if any(said) else ()

    def _voice(self, key: str) -> str:
        return self._parties[key].voice(self._patients, self._subjects)

"""What a projection needs to know beside the messages of one session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from threadwell.encounters import codes
from threadwell.encounters.people import Party


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

    def label(self, channel: str) -> str:
        """What people call a channel; its name, where nobody has said."""
        return self.labels.get(channel, channel)

    def clinical_type(self, channels: Iterable[str]) -> Mapping[str, Any]:
        """The coding for a session over those channels: theirs, if they have the same one."""
        if not self.clinical_of:
            return self.clinical
        found = [self.clinical_of.get(channel, self.clinical) for channel in channels]
        return found[0] if found and all(one == found[0] for one in found) else self.clinical

"""What a patient sees of a message: a stored child Communication, as their app is told. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from threadwell.channels.chat.names import NAME, Patient
from threadwell.encounters.child_ids import own_of
from threadwell.encounters.delivery import delivery_of
from threadwell.encounters.people import addresses_of
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.stores.contract import Stored

#: How a practice's message stands, to the patient. What failed otherwise is here all the same.
_STATES = {"delivered": "delivered", "read": "read"}
_SHOWN = ("in-progress", "completed")


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file of a message; ``id`` is that of its Binary, ``""`` where its bytes are not there."""

    id: str
    type: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a patient sees it.

    ``key`` is what their app has called it, ``""`` where the practice wrote it. ``state`` is
    ``sent``, ``delivered``, ``read`` or ``withdrawn``; of the last one nothing else is shown.
    ``external_id`` is by which its delivery is told.
    """

    id: str
    version: str
    key: str
    ours: bool
    sent: str
    text: str
    files: tuple[SeenFile, ...]
    state: str
    external_id: str

    def as_json(self) -> dict[str, Any]:
        """As the app gets it."""
        out: dict[str, Any] = {
            "id": self.id,
            "version": self.version,
            "from": "practice" if self.ours else "patient",
            "sent": self.sent,
            "state": self.state,
            "text": self.text,
            "attachments": [
                {"id": one.id, "type": one.type, "name": one.name, "size": one.size}
                for one in self.files
            ],
        }
        if self.key:
            out["key"] = self.key
        return out


def seen(stored: Stored, patient: Patient) -> Seen | None:
    """The message, if it went between this patient's app and the practice, and was sent."""
    return seen_in(decode(stored.body), stored, patient)


def seen_in(body: Resource, stored: Stored, patient: Patient) -> Seen | None:
    """The same, of a body that is decoded already."""
    if stored.type != "Communication" or stored.deleted or not body.get("partOf"):
        return None
    own = own_of(body)
    if own is None or own.channel != NAME:
        return None
    mine = patient.address.key
    sender = [one.key for one in addresses_of(body.get("sender") or {})]
    to = [one.key for actor in body.get("recipient") or () for one in addresses_of(actor)]
    if mine not in sender and mine not in to:
        return None
    status = body.get("status")
    ours = mine not in sender
    key = "" if ours else patient.key_of(own.external_id)
    if status not in _SHOWN:
        # A draft was never there; what was taken back is not shown again.
        state = "withdrawn" if status == "entered-in-error" and not own.old else ""
        if not state:
            return None
        return Seen(stored.id, stored.version_id, key, ours, _sent(body), "", (), state, "")
    delivery = delivery_of(body)
    state = _STATES.get(delivery.state, "sent") if ours and delivery else "sent"
    payload = body.get("payload") or ()
    text = "".join(str(one.get("contentString", "")) for one in payload)
    files = tuple(_file(one["contentAttachment"]) for one in payload if "contentAttachment" in one)
    return Seen(
        stored.id,
        stored.version_id,
        key,
        ours,
        _sent(body),
        text,
        files,
        state,
        own.external_id,
    )


def _sent(body: Resource) -> str:
    return str(body.get("sent", ""))


def _file(attachment: dict[str, Any]) -> SeenFile:
    url = str(attachment.get("url", ""))
    return SeenFile(
        url.removeprefix("Binary/") if url.startswith("Binary/") else "",
        str(attachment.get("contentType", "")),
        str(attachment.get("title", "")),
        int(attachment.get("size", 0) or 0),
    )

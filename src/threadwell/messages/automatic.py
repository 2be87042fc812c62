"""Notes on messages that no person wrote: what channels put among ``Message.notes``."""

from __future__ import annotations

AUTOMATIC_REPLY = "an automatic reply"
AUTOMATIC = "sent automatically"

#: All of them.
NOTES = frozenset((AUTOMATIC_REPLY, AUTOMATIC))

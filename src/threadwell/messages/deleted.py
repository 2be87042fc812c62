"""What is left of messages that their senders have deleted, where nothing tells which they were."""

from __future__ import annotations

#: The note on what stands in the place of one.
DELETED = "deleted by its sender; its words are not in the export"

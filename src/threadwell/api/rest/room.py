"""How much the answers of one bundle may hold together.

A short request can ask for one large resource very often; each answer of a bundle waits in memory
until the last is there.
"""

from __future__ import annotations

from threadwell.api.exchange import Answer
from threadwell.fhir.outcome import FhirError, Issue

#: Bytes of all answers of one bundle.
MAX_ANSWERS = 64 * 1024 * 1024
#: Entries of one bundle.
MAX_ENTRIES = 20_000


class Room:
    """What is left for the answers that are yet to come."""

    def __init__(self, size: int | None = None) -> None:
        self._left = MAX_ANSWERS if size is None else size

    def has(self, answer: Answer) -> bool:
        """Take the room that the answer needs, if there is as much."""
        if len(answer.body) > self._left:
            return False
        self._left -= len(answer.body)
        return True

    def read(self, answer: Answer) -> Answer:
        """The answer to a read; raises 400 where there is no room for it."""
        if not self.has(answer):
            raise too_costly()
        return answer

    def written(self, answer: Answer) -> Answer:
        """The answer to a write, without the resource where there is no room for it."""
        return answer if self.has(answer) else answer._replace(body=b"")


def too_costly() -> FhirError:
    """400: the answers of the bundle have become too large."""
    text = f"The answers of one bundle hold at most {MAX_ANSWERS} bytes: ask for this by itself"
    return FhirError(400, [Issue("too-costly", text)])

"""One request and its answer, free of ASGI: what every handler takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


class Caller(NamedTuple):
    """Who asks. ``reference`` becomes ``meta.author`` of what they write, ``""`` for nobody.

    ``admin`` may register further clients.
    """

    reference: str
    client_id: str = ""
    name: str = ""
    admin: bool = False
    login_id: str = ""


NOBODY = Caller("")


@dataclass(slots=True)
class Request:
    """A request. Header names are lower case; ``path`` has no slash at either end.

    Below the FHIR base, ``path`` is relative to it and ``type``, ``id`` and ``version`` are the
    parts of it that ``rest.routes`` found. ``interaction`` is one of ``load.families``.
    """

    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    body: bytes = b""
    caller: Caller = NOBODY
    interaction: str = "other"
    type: str = ""
    id: str = ""
    version: str = ""

    @property
    def is_extended(self) -> bool:
        """Does one of Medplum's clients ask, or one that wants what these get?"""
        return self.headers.get(b"x-medplum") == b"extended"


Header: TypeAlias = tuple[bytes, bytes]


class Answer(NamedTuple):
    """An answer; ``headers`` without ``content-length``, which follows from ``body``."""

    status: int
    headers: list[Header]
    body: bytes

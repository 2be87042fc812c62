"""One request and its answer, free of ASGI: what every handler takes and returns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from threadwell.access.policy import Policy
from threadwell.api.claims import Claims
from threadwell.fhir.authors import authored


class Caller(NamedTuple):
    """Who asks. ``reference`` becomes ``meta.author`` of what they write, ``""`` for nobody.

    ``admin`` may register further clients. Without a ``policy`` they may do everything. ``claims``
    are those that they came with. Where somebody acts for another, ``through`` is their own
    reference and ``client_id`` their client; all else is the other's, by the ``membership`` of that
    id. They have no ``claims`` then, and are no ``admin``.
    """

    reference: str
    client_id: str = ""
    name: str = ""
    admin: bool = False
    login_id: str = ""
    policy: Policy | None = None
    claims: Claims | None = None
    through: str = ""
    membership: str = ""

    @property
    def author(self) -> str:
        """What is kept as the author of what they write (``fhir.authors``)."""
        return authored(self.through, self.reference) if self.through else self.reference

    @property
    def counted(self) -> str:
        """By whom requests are counted: a client, or a person whichever app they use."""
        if self.through:
            return self.through
        is_person = self.claims is not None and self.claims.person
        return self.reference if is_person else self.client_id


NOBODY = Caller("")

#: The ``Accept`` of ``@medplum/core``, without its spaces.
_MEDPLUMS = b"application/fhir+json,*/*;q=0.1"


@dataclass(slots=True)
class Request:
    """A request. Header names are lower case; ``path`` has no slash at either end.

    Below the FHIR base, ``path`` is relative to it and ``type``, ``id``, ``version`` and
    ``compartment`` (``Patient/1``) are the parts of it that ``rest.routes`` found. ``interaction``
    is one of ``load.families``, ``peer`` the address that the connection comes from, ``way`` how it
    came in (``audit.record.Who``). ``project`` is one that its path names, ``home`` the one of
    whoever signs in. ``is_recorded``: what it has changed of accounts is in the trail. ``act`` is
    what one of ``auth/`` or ``oauth2/`` is recorded as, ``account`` the id of the account that it
    is about, once that is known.
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
    compartment: str = ""
    peer: str = ""
    way: str = "api"
    project: str = ""
    home: str = ""
    is_recorded: bool = False
    act: str = "login"
    account: str = ""

    @property
    def is_extended(self) -> bool:
        """Are the marks of Medplum's server wanted: who wrote a resource, and in which project?"""
        return self.headers.get(b"x-medplum") == b"extended"

    @property
    def is_medplums(self) -> bool:
        """Does one of Medplum's clients ask? They say so, or are known by what they accept."""
        headers = self.headers
        if b"x-medplum" in headers:
            return True
        accept = headers.get(b"accept", b"")
        return len(accept) >= len(_MEDPLUMS) and accept.replace(b" ", b"") == _MEDPLUMS


Header: TypeAlias = tuple[bytes, bytes]


class Answer(NamedTuple):
    """An answer; ``headers`` without ``content-length``, which follows from ``body``.

    One with ``parts`` has no ``body``: they are it, of a length that nobody knows beforehand. Each
    is asked for once the one before is on its way, so that an answer of any size takes as much
    memory as one of them.
    """

    status: int
    headers: list[Header]
    body: bytes
    parts: AsyncIterator[bytes] | None = None

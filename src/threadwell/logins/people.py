"""What logins ask of whoever keeps people's accounts: who is signed in, and whether they still may.

``Profiles`` is the answer where there are no accounts: a person is a resource, and may come in for
as long as it is there and not inactive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from threadwell.encounters.names import resource_name
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.references import split_reference
from threadwell.logins.login import Member
from threadwell.stores.contract import Store


class Signed(NamedTuple):
    """Who is signed in in a browser: by which means (RFC 8176), since when (milliseconds)."""

    member: Member
    methods: tuple[str, ...]
    since: int


class Standing(NamedTuple):
    """How somebody stands who has a login. Their policy is that of ``policy_of``, a reference
    (``Practitioner/…``); ``admin`` may register clients and act for others.
    """

    name: str
    policy_of: str
    admin: bool = False


class Browsers(Protocol):
    """The browsers that people are signed in in."""

    async def signed_in(self, cookies: Mapping[str, str]) -> Signed | None:
        """Who is signed in in the browser that sends these cookies."""
        ...

    def sign_in_url(self, back: str) -> str:
        """The page to sign in on (a path), which leads ``back`` (a path of ours) afterwards."""
        ...


class People(Protocol):
    """Those who have logins."""

    async def standing(self, member: Member) -> Standing | None:
        """How a member stands now; ``None`` where they may not come in any more."""
        ...

    async def member(self, named: str) -> Member | None:
        """Who is meant by ``ProjectMembership/{id}``, or by the profile of a membership."""
        ...


class Profiles:
    """``People`` who have no accounts: the resources of a project."""

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project

    async def standing(self, member: Member) -> Standing | None:
        """As the resource says that is their profile."""
        type_, id_ = split_reference(member.profile)
        stored = await self._store.read(self._project, type_, id_) if type_ else None
        if stored is None or stored.deleted:
            return None
        found: Resource = decode(stored.body)
        if found.get("active") is False:
            return None
        return Standing(member.name or resource_name(found) or member.profile, member.profile)

    async def member(self, named: str) -> Member | None:  # noqa: ARG002
        """Nobody: there are no memberships."""
        return None

"""An account as it is kept, and what is shown of it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from threadwell.messages import parse_email

#: Whom an account may be of.
PROFILES = ("Practitioner", "Patient", "RelatedPerson")
_LONGEST_NAME = 100
#: RFC 5321 §4.5.3.1.3.
_LONGEST_EMAIL = 254
_BARE = re.compile(r"[^\s,;<>]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class BadUser(ValueError):
    """What is asked of an account cannot be; the message says why, ``where`` names the member."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where


class Member(msgspec.Struct, frozen=True):
    """Of which project an account is a member, and as whom (``Practitioner/…``).

    ``admin`` may register clients and invite others. ``created`` is in milliseconds since 1970 UTC.
    """

    id: str
    project: str
    profile: str
    admin: bool = False
    created: int = 0


class Factor(msgspec.Struct, frozen=True):
    """A second factor: the secret of an authenticator (base32), and what of it is used up.

    ``secret`` is ``""`` where passkeys are the only ones. ``step`` is the last time step whose code
    was taken (RFC 6238 §5.2: none is taken twice). ``recovery`` are the SHA-256 of the recovery
    codes that are left.
    """

    secret: str
    step: int = 0
    recovery: tuple[str, ...] = ()


class Passkey(msgspec.Struct, frozen=True):
    """A passkey: ``id`` and ``key`` in base64url, the latter with the public half of its key.

    ``counter`` is that of its last signature, 0 where it does not count. ``verifies`` says that it
    has asked for a finger, a face or a PIN, so that it may open the account alone; ``synced`` that
    it may be on several devices. Times are in milliseconds since 1970 UTC.
    """

    id: str
    key: str
    name: str
    created: int
    counter: int = 0
    used: int = 0
    verifies: bool = False
    synced: bool = False
    transports: tuple[str, ...] = ()


class Identity(msgspec.Struct, frozen=True):
    """Who somebody is at an outside provider: ``sub`` at ``issuer`` (OpenID Connect §2).

    ``email`` is what it called them when they were linked, ``since`` when that was, in milliseconds
    since 1970 UTC.
    """

    provider: str
    issuer: str
    sub: str
    email: str
    since: int


class User(msgspec.Struct, frozen=True):
    """An account. ``email`` is in normal form, and no other account has it.

    ``password`` is its Argon2id hash, ``""`` until one is set. ``epoch`` counts what ends all that
    was signed in before: a new password, a reset. Times are in milliseconds since 1970 UTC.
    """

    id: str
    email: str
    first: str
    last: str
    created: int
    password: str = ""
    password_set: int = 0
    disabled: bool = False
    epoch: int = 0
    factor: Factor | None = None
    members: tuple[Member, ...] = ()
    passkeys: tuple[Passkey, ...] = ()
    identities: tuple[Identity, ...] = ()

    @property
    def name(self) -> str:
        """What to call them."""
        return f"{self.first} {self.last}".strip() or self.email

    @property
    def state(self) -> str:
        """``disabled``, ``invited`` (nothing yet to sign in by) or ``active``."""
        opens = self.password or self.passkeys or self.identities
        return "disabled" if self.disabled else "active" if opens else "invited"

    @property
    def has_authenticator(self) -> bool:
        """Are codes by time asked for?"""
        return self.factor is not None and self.factor.secret != ""

    def member(self, project: str, profile: str = "") -> Member | None:
        """Their membership of a project, as ``profile`` if one is named."""
        mine = [one for one in self.members if one.project == project]
        return next((one for one in mine if profile in ("", one.profile)), None)


def parse_account_email(text: Any, where: str = "email") -> str:
    """The address in normal form; raises ``BadUser``."""
    found = parse_email(text) if isinstance(text, str) and _BARE.fullmatch(text.strip()) else None
    if found is None or len(found.value) > _LONGEST_EMAIL or _CONTROL.search(found.value):
        raise BadUser("that is no e-mail address: one is written as robin@example.org", where)
    return found.value


def parse_name(text: Any, where: str) -> str:
    """A first or last name without marks that terminals obey; raises ``BadUser``."""
    name = " ".join(text.split()) if isinstance(text, str) else ""
    if not name or len(name) > _LONGEST_NAME or _CONTROL.search(name):
        raise BadUser(f"{where} is a name of 1 to {_LONGEST_NAME} characters", where)
    return name

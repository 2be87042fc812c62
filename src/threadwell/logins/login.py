"""One login as the store keeps it: what was asked for, who was let in, how far it has come."""

from __future__ import annotations

import msgspec

#: Milliseconds within which somebody has to say who they are.
PATIENCE = 10 * 60_000
#: Milliseconds that an authorization code is good for.
CODE_LIFE = 60_000
#: Seconds that an access token is good for.
LIFE = 3600
#: Milliseconds after which a login that is not refreshed is over.
IDLE = 14 * 24 * 3_600_000
#: Milliseconds after which any login is over.
LONGEST = 90 * 24 * 3_600_000
#: The scope by which a login may be refreshed.
OFFLINE = "offline_access"


class Refused(Exception):
    """What is asked of a login cannot be had; ``error`` is a code of RFC 6749 §5.2."""

    def __init__(self, why: str, error: str = "invalid_grant") -> None:
        super().__init__(why)
        self.error = error


class Asked(msgspec.Struct, frozen=True):
    """What an authorization request asks for (RFC 6749 §4.1.1, RFC 7636, SMART App Launch 2).

    ``client`` is a registered client's id, ``""`` for the practice's own sign-in. ``challenge`` is
    that of PKCE with S256. ``launch`` has what an app is opened on, as its token tells it:
    ``{"patient": "123"}``. ``state`` goes back to the client with the code.
    """

    client: str = ""
    scopes: tuple[str, ...] = ()
    redirect_uri: str = ""
    challenge: str = ""
    nonce: str = ""
    state: str = ""
    launch: dict[str, str] = msgspec.field(default_factory=dict)


class Member(msgspec.Struct, frozen=True):
    """Whom a login lets in. ``user`` is the reference of their account (``User/…``), ``""`` where
    they have none; ``profile`` whom they act as (``Practitioner/…``); ``membership`` an id.
    ``epoch`` is that of the account: a later one ends it.
    """

    profile: str
    user: str = ""
    membership: str = ""
    name: str = ""
    epoch: int = 0

    @property
    def who(self) -> str:
        """By whom their logins are listed and ended."""
        return self.user or self.profile


class Login(msgspec.Struct, frozen=True):
    """A login; times are in milliseconds since 1970 UTC, 0 where it has not come so far.

    ``user`` is known as soon as they have shown something (a password, say), ``member`` when they
    need show no more. ``methods`` are those of RFC 8176 (``pwd``, ``otp``, ``hwk``). ``until`` is
    when it is over by itself. ``generation`` is that of the client's secret. ``refreshed`` counts
    the refresh tokens that it has had: the last one is good, an earlier one is stolen. ``agent``
    is what the browser calls itself.
    """

    id: str
    project: str
    asked: Asked
    begun: int
    until: int
    agent: str = ""
    generation: int = 0
    user: str = ""
    methods: tuple[str, ...] = ()
    member: Member | None = None
    authenticated: int = 0
    scopes: tuple[str, ...] = ()
    code_sha256: str = ""
    code_until: int = 0
    code_used: int = 0
    refreshed: int = 0
    ended: int = 0
    why: str = ""


class Presented(msgspec.Struct, frozen=True):
    """What comes with a code to be exchanged. The client was authenticated before."""

    client: str = ""
    redirect_uri: str = ""
    verifier: str = ""


class Granted(msgspec.Struct, frozen=True):
    """A login whose tokens may be handed out now; ``refresh`` is ``""`` where it gets none."""

    login: Login
    refresh: str = ""

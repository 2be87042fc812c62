"""The server's own keys: made on first start, then kept among the store's private values.

Of a signing key that was changed for a new one the public half stays until all that it has signed
has expired. Where a key for secrets is set (``stores.sealing``), what is kept is encrypted with it;
what was kept before is, too, when it is next read.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from threadwell.fhir.json import encode
from threadwell.logins import endings
from threadwell.logins.login import LIFE
from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    ChangeSet,
    Conflict,
    Kept,
    Store,
    StoreError,
)
from threadwell.stores.sealing import is_sealed, is_set, sealed, unsealed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

_KIND, _SIGNING = "key", "signing"
#: Public halves of those that sign no more: ``until/kid``.
_FORMER = "former-key"
#: Seconds for which a key is good beyond the life of what it has signed: clocks differ.
_MARGIN = 300


class SigningKey:
    """An ES256 key (RFC 7518 §3.4) with its public half as a JWK (RFC 7517), out of a PEM.

    It is read when it is asked for: commands that sign nothing start sooner. Raises ``StoreError``
    then where it is of another kind.
    """

    def __init__(self, pem: bytes) -> None:
        self.pem = pem

    @cached_property
    def private(self) -> ec.EllipticCurvePrivateKey:
        """The half that signs."""
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        private = load_pem_private_key(self.pem, password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise StoreError("the kept signing key is not an elliptic curve key")
        return private

    @property
    def public(self) -> ec.EllipticCurvePublicKey:
        """The half that checks signatures."""
        return self.private.public_key()

    @cached_property
    def kid(self) -> str:
        """The key's id (RFC 7638)."""
        return _base64url(hashlib.sha256(encode(self._numbers)).digest())

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half for others to check by."""
        return {**self._numbers, "kid": self.kid, "alg": "ES256", "use": "sig"}

    @cached_property
    def _numbers(self) -> dict[str, Any]:
        numbers = self.public.public_numbers()
        return {  # in the order that RFC 7638 wants
            "crv": "P-256",
            "kty": "EC",
            "x": _base64url(numbers.x.to_bytes(32, "big")),
            "y": _base64url(numbers.y.to_bytes(32, "big")),
        }


class Keyring:
    """The key that signs now, and those that have signed what may still be good."""

    def __init__(self, store: Store, project: str = DEFAULT_PROJECT) -> None:
        self._store = store
        self._project = project
        self._current: SigningKey | None = None
        self._former: tuple[Former, ...] = ()

    async def load(self) -> None:
        """Read the keys as they are now, in whichever process they were changed."""
        pem = await _kept(self._store, self._project, _SIGNING, _new_pem)
        if self._current is None or self._current.pem != pem:
            self._current = SigningKey(pem)
        self._former = await former_keys(self._store)

    @property
    def current(self) -> SigningKey:
        """The one that signs."""
        assert self._current is not None
        return self._current

    def find(self, token: str, now: int) -> Any:
        """The public key that a token names, for its signature to be checked; ``None`` for none.

        ``now`` is in seconds since 1970.
        """
        import jwt

        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except (jwt.InvalidTokenError, ValueError):
            return None
        if kid == self.current.kid:
            return self.current.public
        good = [one for one in self._former if now * 1000 < one.until]
        found = next((one for one in good if one.jwk["kid"] == kid), None)
        return None if found is None else jwt.PyJWK(found.jwk, algorithm="ES256").key

    def jwks(self, now: int) -> list[dict[str, Any]]:
        """What others check by, first the key that signs; ``now`` in milliseconds since 1970."""
        return [self.current.jwk, *(one.jwk for one in self._former if now < one.until)]


class Former(msgspec.Struct, frozen=True):
    """The public half of a key that signs no more: good until then, in milliseconds since 1970."""

    until: int
    jwk: dict[str, Any]


async def open_keyring(store: Store, project: str = DEFAULT_PROJECT) -> Keyring:
    """A project's signing keys; makes the first one. Raises ``StoreError``."""
    ring = Keyring(store, project)
    await ring.load()
    return ring


async def signing_key(store: Store, project: str = DEFAULT_PROJECT) -> SigningKey:
    """The key that signs a project's tokens."""
    return SigningKey(await _kept(store, project, _SIGNING, _new_pem))


async def former_keys(store: Store) -> tuple[Former, ...]:
    """The keys that sign no more, those among them that are over."""
    values = (await store.list_private(_FORMER)).values()
    return tuple(msgspec.json.decode(value, type=Former) for value in values)


async def rotate_key(store: Store, project: str, now: int, *, at_once: bool = False) -> SigningKey:
    """Sign with a new key from now on (milliseconds since 1970). Raises ``Conflict``.

    What the one before has signed is good until it expires, or no more where it is to end
    ``at_once``: somebody else may have the key. Running servers know of it within
    ``access.LOOK``.
    """
    before = SigningKey(await _kept(store, project, _SIGNING, _new_pem))
    raw = await store.get_private(_KIND, _SIGNING)
    fresh = _new_pem()
    until = now + 1000 * (LIFE + _MARGIN)
    kept = [Kept(_KIND, _SIGNING, sealed(fresh), raw)]
    if not at_once:
        value = msgspec.json.encode(Former(until, before.jwk))
        kept.append(Kept(_FORMER, f"{until:015d}/{before.kid}", value))
    former = await store.list_private(_FORMER)
    over = [name for name in former if at_once or int(name.partition("/")[0]) <= now]
    kept += [Kept(_FORMER, name, None) for name in over]
    await store.commit(project, ChangeSet((), kept=tuple(kept)))
    await endings.tell(store)
    return SigningKey(fresh)


async def kept_secret(store: Store, name: str, project: str = DEFAULT_PROJECT) -> bytes:
    """32 random bytes of a project, the same ones for every process on this store."""
    return await _kept(store, project, name, lambda: secrets.token_bytes(32))


async def _kept(store: Store, project: str, name: str, make: Callable[[], bytes]) -> bytes:
    value = await store.get_private(_KIND, name)
    if value is None:
        # Of several processes that start at once, one's key stays; all take that one.
        await store.put_private(_KIND, name, sealed(make()), only_new=True)
        value = await store.get_private(_KIND, name)
    if value is None:
        raise StoreError(f"the store did not keep the server's key {name}")
    plain = unsealed(value, f"the server's key {name}")
    if not is_sealed(value) and is_set():
        # It was kept before there was a key for secrets.
        await _seal(store, project, name, value)
    return plain


async def _seal(store: Store, project: str, name: str, value: bytes) -> None:
    with suppress(Conflict):
        change = Kept(_KIND, name, sealed(value), value)
        await store.commit(project, ChangeSet((), kept=(change,)))


def _new_pem() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

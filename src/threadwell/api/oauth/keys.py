"""The server's own keys: made on first start, then kept among the store's private values."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from threadwell.fhir.json import encode
from threadwell.stores.contract import Store, StoreError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

_KIND = "key"


class SigningKey:
    """An ES256 key (RFC 7518 §3.4) with its public half as a JWK (RFC 7517), out of a PEM.

    It is read when it is asked for: commands that sign nothing start sooner. Raises ``StoreError``
    then where it is of another kind.
    """

    def __init__(self, pem: bytes) -> None:
        self._pem = pem

    @cached_property
    def private(self) -> ec.EllipticCurvePrivateKey:
        """The half that signs."""
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        private = load_pem_private_key(self._pem, password=None)
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


async def signing_key(store: Store) -> SigningKey:
    """The key that signs this server's tokens."""
    return SigningKey(await _kept(store, "signing", _new_pem))


async def kept_secret(store: Store, name: str) -> bytes:
    """32 random bytes, the same ones for every process on this store."""
    return await _kept(store, name, lambda: secrets.token_bytes(32))


async def _kept(store: Store, name: str, make: Callable[[], bytes]) -> bytes:
    value = await store.get_private(_KIND, name)
    if value is None:
        # Of several processes that start at once, one's key stays; all take that one.
        await store.put_private(_KIND, name, make(), only_new=True)
        value = await store.get_private(_KIND, name)
    if value is None:
        raise StoreError(f"the store did not keep the server's key {name}")
    return value


def _new_pem() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

"""An authenticator and its browser, in Python: what a security key does, by ``cryptography``.

It may be told to do each thing wrong that a server has to see.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256

PRESENT, VERIFIED, BACKED, ATTESTED = 0x01, 0x04, 0x08, 0x40


def text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def raw(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


class Authenticator:
    """One with a key; ``counter`` is told with the next signature."""

    def __init__(self, origin: str, *, flags: int = PRESENT | VERIFIED, counter: int = 0) -> None:
        self.origin = origin
        self.flags = flags
        self.counter = counter
        self.id = secrets.token_bytes(20)
        self.user = b""
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: dict[str, Any], **wrong: Any) -> str:
        """The answer to a request for a new passkey."""
        self.user = raw(options["user"]["id"])
        public = bytes(cbor.encode(dict(ES256.from_cryptography_key(self._key.public_key()))))
        size = len(self.id).to_bytes(2, "big")
        data = (
            self._data(options["rp"]["id"], ATTESTED, wrong) + bytes(16) + size + self.id + public
        )
        made = {"fmt": "none", "attStmt": {}, "authData": data}
        told = {"attestationObject": text(cbor.encode(made)), "transports": ["usb", "of-mars", 7]}
        return self._answer(self._client("webauthn.create", options, wrong), told)

    def sign(self, options: dict[str, Any], **wrong: Any) -> str:
        """The answer to a request for a signature."""
        client = self._client("webauthn.get", options, wrong)
        data = self._data(options["rpId"], 0, wrong)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        if wrong.get("forged"):
            other = ec.generate_private_key(ec.SECP256R1())
            signature = other.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        told = {
            "authenticatorData": text(data),
            "signature": text(signature),
            "userHandle": text(wrong.get("user", self.user)),
        }
        return self._answer(client, told)

    def _data(self, party: str, more: int, wrong: dict[str, Any]) -> bytes:
        flags = wrong.get("flags", self.flags) | more
        digest = hashlib.sha256(wrong.get("party", party).encode()).digest()
        return digest + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client(self, type_: str, options: dict[str, Any], wrong: dict[str, Any]) -> bytes:
        told = {
            "type": wrong.get("type", type_),
            "challenge": wrong.get("challenge", options["challenge"]),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": wrong.get("cross", False),
        }
        return json.dumps(told).encode()

    def _answer(self, client: bytes, told: dict[str, Any]) -> str:
        return json.dumps(
            {
                "id": text(self.id),
                "rawId": text(self.id),
                "type": "public-key",
                "response": {"clientDataJSON": text(client), **told},
                "clientExtensionResults": {},
            }
        )

"""What browsers and authenticators are told, and what they answer (Web Authentication, level 3).

Signatures are checked by ``fido2``. Values in, values out: what was asked before, and which keys
there are, is told by whoever keeps it.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from threadwell.fhir.json import BadJson, decode
from threadwell.users.user import Passkey, User

if TYPE_CHECKING:
    from fido2.server import Fido2Server
    from fido2.webauthn import CollectedClientData

#: How long somebody may look for their key, in milliseconds.
TIMEOUT = 5 * 60_000
_LONGEST = 32 * 1024
_NAME = "Threadwell"
_LOCAL = "localhost"
_TRANSPORTS = frozenset({"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"})


class BadAnswer(Exception):
    """What an authenticator has answered proves nothing."""


class Party(NamedTuple):
    """Whom passkeys are for: the host name of a server, and the origin of its pages."""

    id: str
    origin: str


class Signature(NamedTuple):
    """What a signature says beside that it is right; ``counter`` is 0 where none is kept."""

    counter: int
    verified: bool
    synced: bool


def party_of(origin: str) -> Party | None:
    """Whom passkeys are for at an origin; ``None`` where browsers know none.

    They are for names, not for addresses of machines, and over https; ``localhost`` may do without.
    """
    parts = urlsplit(origin)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        is_local = host == _LOCAL or host.endswith(f".{_LOCAL}")
        return Party(host, origin) if host and (parts.scheme == "https" or is_local) else None
    return None


def creation(party: Party, user: User, challenge: bytes) -> dict[str, Any]:
    """What ``navigator.credentials.create`` is asked for; bytes are in base64url.

    It may be any authenticator. One that can asks for a finger, a face or a PIN.
    """
    from fido2.webauthn import (
        PublicKeyCredentialUserEntity,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    asked, _ = _server(party).register_begin(
        PublicKeyCredentialUserEntity(id=user.id.encode(), name=user.email, display_name=user.name),
        credentials=[_descriptor(one) for one in user.passkeys],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
        challenge=challenge,
    )
    return _told(asked)


def request(
    party: Party, challenge: bytes, passkeys: Sequence[Passkey] = (), *, alone: bool = False
) -> dict[str, Any]:
    """What ``navigator.credentials.get`` is asked for: one of ``passkeys``, or any.

    One that is to open an account ``alone`` must ask for a finger, a face or a PIN.
    """
    from fido2.webauthn import UserVerificationRequirement

    asked, _ = _server(party).authenticate_begin(
        [_descriptor(one) for one in passkeys] or None,
        UserVerificationRequirement.REQUIRED if alone else UserVerificationRequirement.PREFERRED,
        challenge,
    )
    return _told(asked)


def made(party: Party, challenge: bytes, answer: str, name: str, now: int) -> Passkey:
    """The passkey that an authenticator has made; raises ``BadAnswer``."""
    from fido2.webauthn import RegistrationResponse

    told = _read(answer)
    state = {"challenge": _base64url(challenge), "user_verification": None}
    try:
        data = _server(party).register_complete(state, told)
        _check_frame(RegistrationResponse.from_dict(told).response.client_data)
        key = data.credential_data
        assert key is not None
        response = told.get("response")
        ways = response.get("transports") if isinstance(response, dict) else None
        known = [one for one in ways if one in _TRANSPORTS] if isinstance(ways, list) else []
        return Passkey(
            _base64url(key.credential_id),
            _base64url(bytes(key)),
            name,
            now,
            counter=data.counter,
            verifies=data.is_user_verified(),
            synced=data.is_backup_eligible(),
            transports=tuple(sorted(set(known))),
        )
    except Exception:  # noqa: BLE001 - a library reads what anybody may send
        raise BadAnswer("that passkey could not be added") from None


def named(answer: str) -> tuple[str, str]:
    """Whose account an answer says that it opens (its user handle), and with which passkey.

    Nothing of it is proven yet. Raises ``BadAnswer``.
    """
    from fido2.webauthn import AuthenticationResponse

    try:
        read = AuthenticationResponse.from_dict(_read(answer))
        return (read.response.user_handle or b"").decode(), _base64url(read.raw_id)
    except Exception:  # noqa: BLE001 - as above
        raise BadAnswer("that passkey is not known here") from None


def signed(
    party: Party, challenge: bytes, answer: str, passkey: Passkey, *, alone: bool = False
) -> Signature:
    """What a passkey has signed; raises ``BadAnswer`` unless it has signed this, here."""
    from fido2.webauthn import (
        AttestedCredentialData,
        AuthenticationResponse,
        UserVerificationRequirement,
    )

    needs = UserVerificationRequirement.REQUIRED if alone else None
    state = {"challenge": _base64url(challenge), "user_verification": needs}
    told = _read(answer)
    try:
        key = AttestedCredentialData(_bytes(passkey.key))
        _server(party).authenticate_complete(state, [key], told)
        response = AuthenticationResponse.from_dict(told).response
        _check_frame(response.client_data)
        data = response.authenticator_data
        return Signature(data.counter, data.is_user_verified(), data.is_backup_eligible())
    except Exception:  # noqa: BLE001 - as above
        raise BadAnswer("that passkey did not sign what it should") from None


def _check_frame(client_data: CollectedClientData) -> None:
    """Raise ``ValueError`` for what was done in a frame of another site's page."""
    if client_data.cross_origin:
        raise ValueError


def _server(party: Party) -> Fido2Server:
    from fido2.server import Fido2Server
    from fido2.webauthn import PublicKeyCredentialRpEntity

    return Fido2Server(
        PublicKeyCredentialRpEntity(id=party.id, name=_NAME),
        # The library would take every port, and every name below.
        verify_origin=lambda origin: origin == party.origin,
    )


def _descriptor(passkey: Passkey) -> Any:
    from fido2.webauthn import (
        AuthenticatorTransport,
        PublicKeyCredentialDescriptor,
        PublicKeyCredentialType,
    )

    return PublicKeyCredentialDescriptor(
        type=PublicKeyCredentialType.PUBLIC_KEY,
        id=_bytes(passkey.id),
        transports=[AuthenticatorTransport(one) for one in passkey.transports] or None,
    )


def _told(asked: Any) -> dict[str, Any]:
    return {**dict(asked.public_key), "timeout": TIMEOUT}


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > _LONGEST:
        raise BadAnswer("that is no answer of a passkey")
    try:
        told = decode(answer.encode(errors="replace"))
    except BadJson:
        told = None
    if not isinstance(told, dict):
        raise BadAnswer("that is no answer of a passkey")
    return told


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

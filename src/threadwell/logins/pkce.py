"""Proof that who exchanges a code is who asked for it (PKCE, RFC 7636), with S256 alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

#: SHA-256 in base64url.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_challenge(text: str) -> bool:
    """Can that be the S256 challenge of a verifier?"""
    return _CHALLENGE.fullmatch(text) is not None


def answers(challenge: str, verifier: str) -> bool:
    """Whether the verifier is that of the challenge; without a challenge there must be none.

    A verifier where there was no challenge tells of a request from which it was taken out
    (RFC 9700 §2.1.1).
    """
    if not challenge:
        return not verifier
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest.decode(), challenge)

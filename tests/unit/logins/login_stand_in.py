"""Invented people, and what an invented app asks for."""

from __future__ import annotations

import base64
import hashlib

from threadwell.logins.login import Asked, Member, Presented

NOON = 1_710_072_000_000
BACK = "https://app.example.org/back"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
ASKED = Asked("app", ("openid", "user/*.rs", "offline_access"), BACK, CHALLENGE.decode(), "n-1")
BY = Presented("app", BACK, VERIFIER)
ANNA = Member("Practitioner/anna", "User/1", "m-1", "Anna Beispiel")
BERT = Member("Practitioner/bert", "User/2", "m-2", "Bert Beispiel")

"""Forms of OAuth's endpoints as they are read, and the errors of RFC 6749 §5.2 as they are told."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.negotiation import is_form

#: Members of a form that are read; what comes after them is none of ours.
_MOST = 100


class OAuthError(Exception):
    """What a client is told; ``status`` is that of the answer, ``seconds`` how long to wait."""

    def __init__(self, error: str, description: str, status: int = 400, seconds: int = 0) -> None:
        super().__init__(description)
        self.error = error
        self.status = status
        self.seconds = seconds

    def answer(self) -> Answer:
        """As JSON; a client that tried by Basic is told so by a header (RFC 6749 §5.2)."""
        told = json_answer(self.status, {"error": self.error, "error_description": str(self)})
        if self.status == 401:
            told.headers.append((b"www-authenticate", b'Basic realm="Threadwell"'))
        if self.seconds:
            told.headers.append((b"retry-after", str(self.seconds).encode()))
        return told


def unsupported() -> Answer:
    """The answer to a body that is no form."""
    return Answer(400, [(b"content-type", b"text/plain")], b"Unsupported content type")


def form_of(request: Request) -> dict[str, str] | None:
    """The members of the body, each once; ``None`` where it is no form.

    Raises ``OAuthError`` where one comes twice (RFC 6749 §3.2): a second value could mean another
    thing to whoever looked at it on the way.
    """
    if not is_form(request.headers):
        return None
    return once(request.body.decode("latin-1"))


def once(text: str) -> dict[str, str]:
    """The members of a form or a query; raises ``OAuthError`` for one that comes twice."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST)
    except ValueError:
        raise OAuthError("invalid_request", "There are too many parameters") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise OAuthError("invalid_request", f"{name[:40]!a} is given twice")
        found[name] = value
    # What is empty is as if it were not there (RFC 6749 §3.1).
    return {name: value for name, value in found.items() if value}


def listed(form: Mapping[str, str], name: str) -> list[str]:
    """The values of a member that has several, with spaces between."""
    return form.get(name, "").split()

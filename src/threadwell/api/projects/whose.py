"""Of which project a request is: by its credentials, before anybody has looked whether they are
good. There they are looked at as if the server had no other project.

What names none is the first one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.oauth.access import basic
from threadwell.api.projects.contexts import Contexts
from threadwell.fhir.json import BadJson, decode
from threadwell.projects.hints import claims_of, of_login, of_secret, of_token
from threadwell.projects.within import project_of_client
from threadwell.users.keeping import homes
from threadwell.users.user import BadUser, parse_account_email

#: Members of a form that are looked at, and bytes of a body.
_MOST, _LONGEST = 50, 64 * 1024
#: Clients and tokens whose project is remembered: they have the same one for good.
_REMEMBERED = 1_000


class Whose:
    """Finds the context that answers a request."""

    def __init__(self, contexts: Contexts) -> None:
        self._contexts = contexts
        self._clients: dict[str, str] = {}
        self._tokens: dict[bytes, str] = {}

    async def context(self, request: Request) -> Context:
        """By the token or the secret that it comes with, by its path, by what it says."""
        found = await self._contexts.of(await self._project(request))
        return found or await self._contexts.first()

    async def homes(self, request: Request) -> list[Context]:
        """Where the person has accounts who says their address and nothing that names a project."""
        if request.path not in ("auth/login", "auth/resetpassword"):
            return []
        said = _said(request)
        if await self._named(said):
            return []
        try:
            email = parse_account_email(said.get("email"))
        except BadUser:
            return []
        found = [await self._contexts.of(one) for one in await homes(self._contexts.whole, email)]
        return [one for one in found if one is not None]

    async def _project(self, request: Request) -> str:
        by = await self._by_header(request)
        if by or request.path.startswith("fhir/"):
            return by
        if request.path.startswith("auth/login/"):
            return of_login(request.path.rpartition("/")[2])
        if request.path.startswith(("oauth2/", "auth/")):
            return await self._named(_said(request))
        return ""

    async def _by_header(self, request: Request) -> str:
        scheme, _, credentials = request.headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer":
            return self._token(credentials.strip())
        if scheme.lower() == b"basic":
            pair = basic(credentials)
            if pair is None:
                return ""
            is_form = request.path.startswith("oauth2/")
            return await self._client(unquote_plus(pair[0]) if is_form else pair[0])
        return ""

    def _token(self, token: bytes) -> str:
        known = self._tokens.get(token)
        if known is None:
            if len(self._tokens) >= _REMEMBERED:
                self._tokens.clear()
            known = self._tokens[token] = of_token(token.decode("latin-1"))
        return known

    async def _named(self, said: Mapping[str, Any]) -> str:
        for name in ("client_id", "clientId"):
            if client := _text(said, name):
                return await self._client(client)
        if assertion := _text(said, "client_assertion"):
            issuer = claims_of(assertion).get("iss")
            return await self._client(issuer) if isinstance(issuer, str) else ""
        for name in ("code", "refresh_token", "login"):
            if project := of_login(_text(said, name)):
                return project
        if project := of_token(_text(said, "token")) or of_login(_text(said, "token")):
            return project
        return of_secret(_text(said, "secret")) or _text(said, "projectId")

    async def _client(self, id_: str) -> str:
        known = self._clients.get(id_)
        if known is not None:
            return known
        found = await project_of_client(self._contexts.whole, id_)
        if found:
            if len(self._clients) >= _REMEMBERED:
                self._clients.clear()
            self._clients[id_] = found
        return found


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _said(request: Request) -> Mapping[str, Any]:
    """What a form, a query or an object of JSON says; ``{}`` where it is none of these."""
    if len(request.body) > _LONGEST:
        return {}
    if request.path == "auth/external":
        # There it is an app of ours that has written the state.
        return _state(request.query)
    if request.path.startswith("oauth2/"):
        text = request.body.decode("latin-1") if request.method == "POST" else request.query
        try:
            return dict(parse_qsl(text, max_num_fields=_MOST))
        except ValueError:
            return {}
    return _object(request.body)


def _state(query: str) -> Mapping[str, Any]:
    try:
        state = dict(parse_qsl(query, max_num_fields=_MOST)).get("state", "")
    except ValueError:
        return {}
    return _object(state.encode("utf-8", "replace"))


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        found = decode(text) if text else {}
    except BadJson:
        return {}
    return found if isinstance(found, dict) else {}

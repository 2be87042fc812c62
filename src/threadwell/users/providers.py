"""Outside identity providers (OpenID Connect): which a practice signs in by, and how far it trusts
them. They are private values of the store; their secrets are sealed where a key is set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from threadwell.stores.contract import Store
from threadwell.stores.sealing import sealed, unsealed

#: How somebody who comes by a provider for the first time gets to an account.
INVITED, EMAIL, CREATE = "invited", "email", "create"
LINKS = (INVITED, EMAIL, CREATE)
SCOPES = ("openid", "email", "profile")

#: Where browsers come back from a provider, below the address of the pages.
BACK = "/sign-in/back"
#: Where a provider tells that somebody has signed out there.
OUT = "/sign-in/out"

_KIND = "identity-provider"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?")
_PLAIN = re.compile(r"[!-~]{1,500}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST = 200


class BadProvider(ValueError):
    """What is said of a provider cannot be; the message says why."""


class Provider(msgspec.Struct, frozen=True):
    """A provider. ``name`` is part of URLs, ``label`` what people call it. ``secret`` is as the
    store keeps it, empty for a client that has none.

    ``domains`` are those of the e-mail addresses that may come by it, any where there are none.
    ``link`` is one of ``LINKS``; ``trusted`` says that its word for an address of ``domains`` is
    enough, verified or not. ``roles`` are policies or roles by the values of ``roles_claim``,
    ``role`` that of whoever has none of these. ``required`` says that whoever has an address of
    ``domains`` (everybody, where there are none) comes in by it and by nothing else. ``hosts`` may
    be called though they are here or in a private network. ``apps`` are the client ids that it has
    given to apps of the practice, whose tokens of it may be exchanged for ours; ``audiences`` are
    further names for which their access tokens may be.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    secret: bytes = b""
    scopes: tuple[str, ...] = SCOPES
    domains: tuple[str, ...] = ()
    link: str = INVITED
    trusted: bool = False
    roles_claim: str = ""
    roles: dict[str, str] = msgspec.field(default_factory=dict)
    role: str = ""
    required: bool = False
    hosts: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()

    def plain_secret(self) -> str:
        """The secret; raises ``StoreError`` where it is sealed and the key is not here."""
        return unsealed(self.secret, f"the secret of {self.name}").decode()

    def lets(self, email: str) -> bool:
        """Is an e-mail address (in normal form) of one of its domains?"""
        return not self.domains or email.rpartition("@")[2] in self.domains


def parse_provider(name: str, told: Mapping[str, Any]) -> Provider:
    """A provider out of what a command or a file says; raises ``BadProvider``.

    Its ``secret`` is sealed from here on.
    """
    known = {*Provider.__struct_fields__} - {"name"}
    for member in told:
        if member not in known:
            raise BadProvider(
                f"{member} is nothing that a provider has: {', '.join(sorted(known))}"
            )
    if not _NAME.fullmatch(name):
        raise BadProvider(f"{name!r}: a name is of lower-case letters, digits and hyphens")
    values: dict[str, Any] = {
        **{one: _text(told, one) for one in ("issuer", "client_id", "roles_claim", "role")},
        **{one: told.get(one, False) is True for one in ("trusted", "required")},
        "label": " ".join(_text(told, "label").split()) or name,
        "link": _text(told, "link") or INVITED,
        "secret": sealed(secret.encode()) if (secret := _text(told, "secret")) else b"",
        "scopes": _texts(told, "scopes") or SCOPES,
        "domains": tuple(one.lower().removeprefix("@") for one in _texts(told, "domains")),
        "hosts": _texts(told, "hosts"),
        "apps": _texts(told, "apps"),
        "audiences": _texts(told, "audiences"),
        "roles": _mapping(told, "roles"),
    }
    made = Provider(name, **values)
    if why := _lacking(made):
        raise BadProvider(f"{name}: {why}")
    return made


async def keep_provider(store: Store, project: str, provider: Provider) -> None:
    """Keep a provider, in the place of another of its name. It counts from the next request on."""
    await store.put_private(_KIND, f"{project}/{provider.name}", msgspec.json.encode(provider))


async def providers(store: Store, project: str) -> list[Provider]:
    """Those of a project, by name."""
    kept = await store.list_private(_KIND)
    mine = [value for name, value in kept.items() if name.startswith(f"{project}/")]
    return [msgspec.json.decode(value, type=Provider) for value in mine]


async def find_provider(store: Store, project: str, name: str) -> Provider | None:
    """The one of that name."""
    if not _NAME.fullmatch(name):
        return None
    value = await store.get_private(_KIND, f"{project}/{name}")
    return None if value is None else msgspec.json.decode(value, type=Provider)


async def remove_provider(store: Store, project: str, name: str) -> bool:
    """Forget a provider and its secret; whether there was one."""
    there = await find_provider(store, project, name) is not None
    if there:
        await store.put_private(_KIND, f"{project}/{name}", None)
    return there


async def required_for(store: Store, project: str, email: str) -> Provider | None:
    """The provider by which whoever has that address comes in, and by nothing else."""
    found = [one for one in await providers(store, project) if one.required and one.lets(email)]
    # One that names the domain comes before one that is for everybody.
    return min(found, key=lambda one: not one.domains, default=None)


def is_called(url: str, hosts: tuple[str, ...]) -> bool:
    """May secrets and tokens be sent to a URL? Over https, or to a host that is named."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or not _PLAIN.fullmatch(url):
        return False
    named = host in hosts or f"{host}:{port or 80}" in hosts
    return parts.scheme == "https" or (parts.scheme == "http" and named)


def _lacking(one: Provider) -> str:
    """What is wrong with it; ``""`` for nothing."""
    if len(one.label) > _LONGEST or _CONTROL.search(one.label):
        return "the label is a name of at most 200 characters"
    for host in one.hosts:
        if not _HOST.fullmatch(host):
            return f"host {host!r} is not written as a name, with :PORT if it has one"
    if one.issuer.startswith("http://") and not is_called(one.issuer, one.hosts):
        return (
            f"the issuer {one.issuer!r} is without https: its host has to be allowed (--allow-host)"
        )
    if not is_called(one.issuer, one.hosts) or "?" in one.issuer or "#" in one.issuer:
        return (
            f"the issuer {one.issuer!r} is no URL with https, as the provider writes it in its "
            "openid-configuration"
        )
    if not _PLAIN.fullmatch(one.client_id):
        return "a client id is needed: the one that the provider has given you"
    if not all(map(_PLAIN.fullmatch, one.apps)):
        return "apps are client ids, as the provider has given them"
    if "openid" not in one.scopes or not all(map(_PLAIN.fullmatch, one.scopes)):
        return "openid must be among the scopes"
    for domain in one.domains:
        if not _DOMAIN.fullmatch(domain):
            return f"{domain!r} is no domain, such as clinic.example.org"
    if one.link not in LINKS:
        return f"link is one of {', '.join(LINKS)}, not {one.link!r}"
    if one.trusted and not one.domains:
        return "to trust its addresses, name the domains that are yours"
    if one.roles and not one.roles_claim:
        return "say which claim has the roles: roles_claim"
    if one.roles_claim and not one.roles:
        return "say what the values of that claim stand for: roles"
    if one.link == CREATE and not (one.roles or one.role):
        return "who gets an account by it must get a role: role, or roles"
    if one.link == CREATE and not one.domains:
        return "who may get an account by it is told by their domain: domains"
    return ""


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name) or ""
    if not isinstance(value, str):
        raise BadProvider(f"{name} is a text")
    return value.strip()


def _texts(told: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = told.get(name) or ()
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise BadProvider(f"{name} is a list of texts")
    return tuple(dict.fromkeys(one.strip() for one in value if one.strip()))


def _mapping(told: Mapping[str, Any], name: str) -> dict[str, str]:
    value = told.get(name) or {}
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value.values()):
        raise BadProvider(f"{name} says for each value of the claim which role it stands for")
    return {str(key): one for key, one in value.items()}

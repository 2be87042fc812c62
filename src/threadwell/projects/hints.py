"""Of which project something is that comes from outside: what it says before it is believed.

Cookies, links, logins and tokens of a project that is not the first end with its id. That only
leads to the project: there it is looked at with the project's own keys and its own values.
"""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from threadwell.projects.registry import is_id
from threadwell.stores.contract import DEFAULT_PROJECT

#: Below which path each project has what is reached without a token.
PREFIX = "/p/"
_BELOW = re.compile(r"/p/(?P<project>[0-9a-f-]{36})(?P<rest>/.*)")
_LOGIN = re.compile(r"[0-9a-f-]{36}-(?P<project>[0-9a-f-]{36})")


def address_of(base: str, project: str) -> str:
    """Where a project's hooks, files and patients' apps are on the server at ``base``."""
    return base if project == DEFAULT_PROJECT else f"{base}{PREFIX}{project}"


def below(path: str) -> tuple[str, str] | None:
    """The project that a path names, and the path within it; ``None`` where it names none."""
    found = _BELOW.fullmatch(path)
    return (found["project"], found["rest"]) if found and is_id(found["project"]) else None


def hint_of(project: str) -> str:
    """What tokens say of the project; ``""`` of the first one."""
    return "" if project == DEFAULT_PROJECT else project


def marked(secret: str, project: str) -> str:
    """A random text that somebody is given, so that it leads back to the project."""
    return secret if project == DEFAULT_PROJECT else f"{secret}.{project}"


def of_secret(text: str) -> str:
    """The project that ``marked`` has named, ``""`` where it is none but the first."""
    named = text.rpartition(".")[2]
    return named if named != text and is_id(named) else ""


def login_id(id_: str, project: str) -> str:
    """The id of a login, likewise."""
    return id_ if project == DEFAULT_PROJECT else f"{id_}-{project}"


def of_login(text: str) -> str:
    """The project of a login's id, or of a code or a refresh token, which begin with it."""
    found = _LOGIN.fullmatch(text.partition(".")[0])
    return found["project"] if found and is_id(found["project"]) else ""


def of_token(token: str) -> str:
    """The project that a JWT says it is of, ``""`` where it says none. Nothing of it is checked."""
    told = claims_of(token)
    named = told.get("project")
    return named if isinstance(named, str) and is_id(named) else ""


def claims_of(token: str) -> dict[str, object]:
    """What a JWT says, unchecked; ``{}`` for what is none."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > 16 * 1024:
        return {}
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        told = msgspec.json.decode(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}

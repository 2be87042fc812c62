"""What a body may say of such a thing; what it says and we cannot honour is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from threadwell.api.exchange import Request
from threadwell.fhir.json import BadJson, decode
from threadwell.fhir.outcome import invalid
from threadwell.fhir.resource import Resource

_LONGEST = 2_000


def body_of(request: Request) -> Resource:
    """The JSON object of a request; raises 400."""
    try:
        body = decode(request.body)
    except BadJson as error:
        raise invalid(f"Content could not be parsed: {error}") from None
    if not isinstance(body, dict):
        raise invalid("Content must be a JSON object")
    return body


def only(body: Resource, type_: str, known: Iterable[str]) -> None:
    """Raise 400 for a member that is not ``known``."""
    unknown = set(body) - {"resourceType", "id", "meta", *known}
    if unknown:
        name = min(unknown)[:64]
        raise invalid(f"{name} is not supported", f"{type_}.{name}")


def same(body: Resource, current: Resource, type_: str, names: Iterable[str]) -> None:
    """Raise 400 where a member is another than it was; one that is left out stays."""
    for name in names:
        given, had = body.get(name), current.get(name)
        if given is not None and _bare(given) != _bare(had):
            raise invalid(f"{name} cannot be changed", f"{type_}.{name}")


def text(body: Resource, type_: str, name: str, *, needed: bool = False) -> str:
    """A text, ``""`` where there is none; raises 400."""
    value = body.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST or (needed and not value.strip()):
        raise invalid(f"{name} is a text", f"{type_}.{name}")
    return value


def reference(value: Any, where: str) -> str:
    """Where a Reference leads; raises 400."""
    found = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(found, str) or not found:
        raise invalid(f"{where} must be a Reference", where)
    return found


def _bare(value: Any) -> Any:
    """Without what is only shown beside a reference."""
    return value.get("reference") if isinstance(value, dict) else value

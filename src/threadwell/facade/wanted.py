"""What a caller wants, as a request needs it; what makes no sense is said in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from threadwell.app import CHANNEL_NAMES
from threadwell.facade.errors import OperationOutcomeError
from threadwell.fhir.outcome import Issue, outcome
from threadwell.fhir.resource import Resource
from threadwell.intake.bad_setting import BadSetting

#: What a search asks.
Parameters: TypeAlias = Mapping[str, Any] | Sequence[tuple[str, Any]] | str | None

#: What would lead a path somewhere else.
_BREAKS = frozenset("/?#")


def type_of(resource: Any) -> str:
    """The type of a resource; raises ``TypeError``, or ``OperationOutcomeError`` where it has none.

    Whether there is such a type is for the API to say.
    """
    if not isinstance(resource, dict):
        kind = type(resource).__name__
        raise TypeError(f"a resource is a dict with a resourceType, not of type {kind}")
    type_ = resource.get("resourceType")
    if not isinstance(type_, str) or not type_:
        raise _refused("The resource has no resourceType", "resourceType")
    return type_


def path_of(type_: Any, id_: Any) -> str:
    """``Type/id``; raises ``TypeError`` and ``OperationOutcomeError``."""
    for what, value in (("type", type_), ("id", id_)):
        if value is None or value == "":
            where = type_ if what == "id" and type_ else "Resource"
            raise _refused(f"The {what} of the resource is missing", f"{where}.{what}")
        if not isinstance(value, str):
            raise TypeError(f"the {what} of a resource is text, not of type {type(value).__name__}")
        if _BREAKS.intersection(value):
            raise _refused(f"There is no resource of the {what} {value!r}", f"Resource.{what}")
    return f"{type_}/{id_}"


def operations_of(operations: Any) -> list[Any]:
    """The operations of a JSON Patch; raises ``TypeError``."""
    if not isinstance(operations, Sequence) or isinstance(operations, (str, bytes)):
        kind = type(operations).__name__
        raise TypeError(f"a patch is a list of operations (RFC 6902), not of type {kind}")
    return list(operations)


def search_path(type_: Any, parameters: Parameters) -> str:
    """``Type?query``. A list as a value repeats its parameter; ``True`` is ``true``.

    Raises ``TypeError`` and ``OperationOutcomeError``.
    """
    if not isinstance(type_, str):
        raise TypeError(f"the type to search for is text, not of type {type(type_).__name__}")
    if not type_ or _BREAKS.intersection(type_):
        raise _refused(f"There is no resource type {type_!r}", "resourceType")
    query = parameters.lstrip("?") if isinstance(parameters, str) else _query(parameters)
    return f"{type_}?{query}" if query else type_


def several(values: str | Iterable[str]) -> tuple[str, ...]:
    """Several texts, or one by itself: a text is no list of letters."""
    return (values,) if isinstance(values, str) else tuple(values)


def check_wanted(channel: str, since: object, until: object, limit: object) -> None:
    """Raise ``BadSetting`` or ``TypeError`` for sessions that nobody can have meant."""
    if channel and channel not in CHANNEL_NAMES:
        raise BadSetting(f"no channel {channel!r}: there are {', '.join(CHANNEL_NAMES)}")
    for name, day in (("since", since), ("until", until)):
        if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
            raise TypeError(f"{name} is a day, a datetime.date, not of type {type(day).__name__}")
    if limit is not None and (type(limit) is not int or limit < 0):
        raise BadSetting(f"limit {limit!r} is no number of sessions")


def check_page(after: object, size: object) -> None:
    """Raise ``BadSetting`` for a page of sessions that nobody can have meant."""
    from threadwell.inbox.spots import is_cursor

    if type(size) is not int or size < 1:
        raise BadSetting(f"size {size!r} is no number of sessions of a page")
    if after != "" and not (isinstance(after, str) and is_cursor(after)):
        raise BadSetting(f"after {after!r} is no place that a list of sessions has told")


def _query(parameters: Any) -> str:
    pairs = parameters.items() if isinstance(parameters, Mapping) else parameters or ()
    if not isinstance(parameters, (Mapping, Sequence, type(None))):
        kind = type(parameters).__name__
        raise TypeError(f"search parameters are a mapping, pairs or text, not of type {kind}")
    written: list[tuple[str, str]] = []
    for pair in pairs:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise TypeError('search parameters that are a list are pairs: [("status", "draft")]')
        name, value = pair
        several = value if isinstance(value, (list, tuple)) else [value]
        written += [(str(name), _text(str(name), one)) for one in several]
    return urlencode(written, quote_via=quote)


def _text(name: str, value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float() | Decimal():
            return str(value)
        case date():  # and a datetime
            return value.isoformat()
    kind = type(value).__name__
    raise TypeError(f"the search parameter {name} takes text, a number or a time, not {kind}")


def _refused(text: str, expression: str) -> OperationOutcomeError:
    resource: Resource = outcome([Issue("required", text, expression)])
    return OperationOutcomeError(400, resource)

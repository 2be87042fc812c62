"""Conditions that select one resource: ``Type?query`` in URLs, references and ``If-None-Exist``."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode

from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.api.params import parse_params
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import invalid, multiple_matches
from threadwell.fhir.references import references
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import Query, hangs_on_terminology
from threadwell.stores.aside import aside
from threadwell.stores.contract import Key, Stored

#: At most two of the resources that a query matches, or will.
Find: TypeAlias = Callable[[Query], Awaitable[Sequence[Key]]]

#: Parameters of a create that say what its answer is to be.
_OF_ANSWER = frozenset({"_summary", "_elements", "_fields"})
_CONDITION = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Selected:
    """What a condition selects now: one resource, or none. ``query`` guards it until the commit."""

    query: Query
    match: Stored | None


async def select(context: Context, type_: str, text: str) -> Selected:
    """What the query ``text`` selects; raises 412 for several, 400 for one that filters nothing."""
    return await select_by(context, condition(context, type_, text))


async def select_by(context: Context, query: Query) -> Selected:
    """What a condition selects; raises 412 for several."""
    page = await context.view.search(context.project, query)
    if len(page.matches) > 1:
        raise multiple_matches()
    return Selected(query, page.matches[0] if page.matches else None)


def condition_of_create(type_: str, request: Request) -> str | None:
    """The query of ``If-None-Exist``, or of the URL; ``None`` where the request has none.

    R4 has the query alone; clients also send it behind ``Type?`` or our whole URL. Raises 400
    where that names another type. R4 gives the query of a create no meaning: fhirpy puts the
    condition there, and would make a second resource each time if it were passed over.
    """
    header = request.headers.get(b"if-none-exist")
    if header is None:
        if not request.query:
            return None
        asked = [pair for pair in parse_params(request.query) if pair[0] not in _OF_ANSWER]
        return urlencode(asked) if asked and type_ != "Binary" else None
    text = header.decode(errors="replace").strip()
    path, mark, query = text.partition("?")
    if not mark or "=" in path:  # the question mark is part of a value
        return text
    if path and path.rpartition("/")[2] != type_:
        raise invalid(f"If-None-Exist must be a search of {type_}")
    return query


def condition(context: Context, type_: str, text: str) -> Query:
    """The query of a condition: its filters, and nothing about pages, order or includes.

    Raises 400 for one that filters nothing.
    """
    query = parse_query(type_, parse_params(text), bases=context.bases, now=context.clock)
    if not query.filters:
        raise invalid(f"A condition on {type_} needs at least one search parameter")
    if any(map(hangs_on_terminology, query.filters)):
        raise invalid("A condition has no :in, :not-in, :above and :below: these are for searches")
    return Query(type=query.type, filters=query.filters, count=2)


async def resolve_references(
    context: Context, resource: Resource, size: int, find: Find | None = None
) -> None:
    """Put ``Type/id`` in place of each reference ``Type?query``; raises 400 if ``find`` has not
    exactly one match for it. The store finds unless another does. ``size`` as in ``accept``.
    """

    async def stored(query: Query) -> Sequence[Key]:
        page = await context.view.search(context.project, query)
        return [Key(match.type, match.id) for match in page.matches]

    for path, reference in await aside(size, lambda: list(references(resource))):
        text = reference.get("reference")
        asked = _CONDITION.fullmatch(text) if isinstance(text, str) else None
        if asked and asked[1] in RESOURCE_TYPES:
            found = await (find or stored)(condition(context, asked[1], asked[2]))
            reference["reference"] = _only(found, asked[1], path)


def _only(found: Sequence[Key], type_: str, path: str) -> str:
    if len(found) == 1:
        return f"{type_}/{found[0].id}"
    # The query itself may hold a name or number of a patient, so the message leaves it out.
    problem = "matched multiple resources" if found else "did not match any resources"
    raise invalid(f"Conditional reference to {type_} {problem}", path)

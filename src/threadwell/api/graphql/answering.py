"""``$graphql``: a query in, its answer out (FHIR R4 graphql.html; GraphQL over HTTP).

What is wrong with a query as a whole is an OperationOutcome, as Medplum's clients know it; what
could not be found by it is told beside the data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

from threadwell.api.context import Context, Handler
from threadwell.api.exchange import Answer, Header, Request
from threadwell.api.graphql.document import read_document
from threadwell.api.graphql.fetching import Fetching
from threadwell.api.graphql.resolving import Resolving
from threadwell.api.graphql.running import Running
from threadwell.api.graphql.schema import is_made, schema
from threadwell.api.graphql.writing import Writing
from threadwell.api.negotiation import check_json, content_type_of
from threadwell.api.outcomes import PRIVATE, NotAllowed
from threadwell.api.params import parse_params
from threadwell.fhir.json import BadJson, encode, parse
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.stores.aside import HUGE, aside
from threadwell.stores.contract import StoreSlow

#: Seconds that a query may take, and bytes that its answer may have.
LONGEST = 60.0
MAX_ANSWER = 48 * 1024 * 1024

#: About how many bytes of JSON are as much work as one of a query.
_BYTE = 16
_JSON: Header = (b"content-type", b"application/json; charset=utf-8")
_QUERY = "application/graphql"
_MEMBERS = ("query", "operationName", "variables")


async def answer(context: Context, request: Request, perform: Handler) -> Answer:
    """200 with ``data``, and ``errors`` of what could not be found; 400 for what is no query."""
    asked = _asked(request)
    # Made once in a process: others have their turn meanwhile.
    known = schema() if is_made() else await aside(HUGE, schema)
    document = await aside(
        len(asked.query) * _BYTE,
        lambda: read_document(known, asked.query, asked.name, asked.variables),
    )
    if document.changes and request.method != "POST":
        raise NotAllowed(["POST"])
    resolving = Resolving(Fetching(context, request), Writing(context, request, perform))
    running = Running(known, document, resolving)
    if document.changes:
        # What is being written is not broken off.
        result = await running.run()
    else:
        try:
            async with asyncio.timeout(LONGEST):
                result = await running.run()
        except TimeoutError:
            raise StoreSlow("a query by GraphQL") from None
    size = _size(result.values, {})
    if size > MAX_ANSWER:
        text = f"An answer has at most {MAX_ANSWER:,} bytes: ask for less"
        raise FhirError(400, [Issue("too-costly", text)])
    found: dict[str, Any] = {"data": result.values}
    if result.errors:
        found["errors"] = result.errors
    return Answer(200, [_JSON, PRIVATE], await aside(size, lambda: encode(found)))


class _Asked(NamedTuple):
    query: str
    name: str | None
    variables: Mapping[str, Any]


def _asked(request: Request) -> _Asked:
    given: dict[str, Any]
    params = dict(parse_params(request.query))
    if request.method == "POST":
        kind = content_type_of(request.headers)
        if kind is not None and kind.name == _QUERY:
            given = {**params, "query": _text(request.body)}
        else:
            check_json(request.headers)
            given = {**params, **_object(request.body, "The body")}
    else:
        given = dict(params)
    if isinstance(given.get("variables"), str):
        given["variables"] = _object(given["variables"].encode(), "variables")
    query, name, variables = (given.get(member) for member in _MEMBERS)
    if not isinstance(query, str) or not query.strip():
        raise invalid("There is no query")
    if not isinstance(name, str | None):
        raise invalid("operationName must be a string")
    if not isinstance(variables, dict | None):
        raise invalid("variables must be an object")
    return _Asked(query, name or None, variables or {})


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise invalid("The query is not UTF-8") from None


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = parse(text or b"{}")
    except BadJson as error:
        raise invalid(f"{what} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise invalid(f"{what} must be an object")
    return value


def _size(value: Any, known: dict[int, int]) -> int:
    """About how many bytes the JSON of a value has. What is in it twice is looked at once."""
    if isinstance(value, str):
        return len(value) + 3
    if not isinstance(value, dict | list):
        return 8
    found = known.get(id(value))
    if found is None:
        if isinstance(value, dict):
            found = sum([len(name) + 4 + _size(one, known) for name, one in value.items()])
        else:
            found = sum([_size(one, known) for one in value])
        known[id(value)] = found = found + 2
    return found

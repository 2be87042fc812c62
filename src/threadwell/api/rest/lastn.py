"""``$lastn`` of Observation: the latest of each code (FHIR R4 Observation §10.1.15.1)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.params import parse_params
from threadwell.api.rest.accept import of_type, parse_json
from threadwell.api.rest.bundles import bundle
from threadwell.api.rest.parameters import pairs_of
from threadwell.api.rest.search import searchset
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.parse import natural
from threadwell.stores.contract import Page, Stored
from threadwell.stores.naming import with_names
from threadwell.stores.scanning import scan

NAME, TYPE = "$lastn", "Observation"
_MAX = "max"
#: What has to be named: whose they are, and of which kind.
_NEEDED = (("patient", "subject"), ("category", "code"))
#: What says how a page looks: there is one answer, in one order.
_NOT_HERE = frozenset(
    {"_sort", "_count", "_offset", "_cursor", "_total", "_summary", "_elements", "_fields"}
    | {"_include", "_revinclude"}
)
#: Observations that are looked at for one answer.
_MOST = 10_000
_AT_ONCE = 500


async def lastn(context: Context, request: Request) -> Answer:
    """A searchset of the ``max`` latest (1, if it is not said) of each code that the query finds,
    the latest first. Two have one code if they have a coding in common, or the same text and no
    coding.

    400 without ``patient`` or ``subject``, and ``category`` or ``code``; and where too many would
    have to be looked at.
    """
    most, params = await _asked(request)
    params.append(("_sort", "-date"))
    asked = context.asking.of(TYPE, "", params)
    query = replace(asked.query, count=_AT_ONCE)
    if asked.by_name:
        query = await with_names(context.view, context.project, query, context.packaged)
    found: list[Stored] = []
    size = 0
    async for stored in scan(context.view, context.project, query):
        size += len(stored.body)
        found.append(stored)
        if len(found) > _MOST or size > context.max_page:
            text = f"{NAME} would have to look at too many: say less, by code or date"
            raise FhirError(400, [Issue("too-costly", text)])
    latest = list(_latest(found, most))
    entries = await searchset(context, request, Page(latest, [], None, more=False), {})
    return bundle("searchset", entries, total=len(latest))


async def _asked(request: Request) -> tuple[int, list[tuple[str, str]]]:
    params = parse_params(request.query)
    if request.method == "POST" and request.body:
        _, more = pairs_of(of_type(await parse_json(request), "Parameters"), references=True)
        params = [*params, *more]
    most = 0
    rest: list[tuple[str, str]] = []
    for name, value in params:
        if name.partition(":")[0] in _NOT_HERE:
            raise invalid(f"{NAME} takes no {name}")
        if name == _MAX:
            if most:
                raise invalid(f"{NAME} takes one {_MAX}")
            most = natural(name, value)
            if not most:
                raise invalid(f"{_MAX} must be 1 or more")
        else:
            rest.append((name, value))
    for needed in _NEEDED:
        # ``subject:Patient`` and ``patient.name`` are those as well.
        if not any(name.partition(":")[0].partition(".")[0] in needed for name, _ in rest):
            raise invalid(f"{NAME} needs {' or '.join(needed)}")
    return most or 1, rest


def _latest(found: Sequence[Stored], most: int) -> Iterator[Stored]:
    """Those of each code that come first."""
    groups: dict[Hashable, Hashable] = {}

    def root(one: Hashable) -> Hashable:
        while (above := groups.setdefault(one, one)) != one:
            groups[one] = groups[above]
            one = groups[one]
        return one

    names = [_names(decode(stored.body)) for stored in found]
    for first, *others in names:
        for other in others:
            groups[root(other)] = root(first)
    counts: dict[Hashable, int] = {}
    for stored, (first, *_) in zip(found, names, strict=True):
        group = root(first)
        counts[group] = counts.get(group, 0) + 1
        if counts[group] <= most:
            yield stored


def _names(observation: Resource) -> Sequence[Hashable]:
    """By what its code is known; at least one."""
    code = observation.get("code") or {}
    codings = [
        (one.get("system", ""), one["code"]) for one in code.get("coding") or () if "code" in one
    ]
    return codings or [code.get("text", "")]

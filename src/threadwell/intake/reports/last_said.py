"""How many messages threads have, and which are their last ones: asked for many threads at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, ReferenceFilter, Sort, TokenFilter, Total
from threadwell.fhir.search.sought import ReferenceMatch, TokenMatch
from threadwell.stores.contract import Reading

LIVE = TokenFilter(
    "status",
    tuple(TokenMatch(None, code) for code in ("entered-in-error", "preparation")),
    negate=True,
)
_NEWEST = (Sort("sent", descending=True),)
#: Messages that are read at once for each thread, and of all threads at most.
_EACH, _MOST = 8, 2000


class LastSaid(NamedTuple):
    """How many messages a thread has, and the last one, by when they were sent."""

    number: int = 0
    last: Resource | None = None


async def last_said(
    store: Reading, project: str, headers: Iterable[str], *, counted: bool = True
) -> dict[str, LastSaid]:
    """The messages of threads, by the ids of their headers; no number unless they are ``counted``.

    Long threads are asked about one by one, all the others together.
    """
    rest = list(dict.fromkeys(headers))
    out: dict[str, LastSaid] = {}
    while rest:
        size = min(_MOST, _EACH * len(rest) + 1)
        page = await store.search(project, _of(rest, size))
        # Of most of them nothing is wanted but in which threads they are.
        found: dict[str, list[bytes]] = {one: [] for one in rest}
        for match in page.matches:
            for header in _headers(match.body):
                if header in found:
                    found[header].append(match.body)
        if not page.more:
            out.update((one, _as_said(some)) for one, some in found.items())
            break
        if counted:
            alone = [one for one in rest if len(found[one]) > _EACH]
        else:
            out.update((one, _as_said(some)) for one, some in found.items() if some)
            alone = []
        if not alone and not out.keys() & set(rest):
            alone = rest[:1]
        for one in alone:
            out[one] = await _alone(store, project, one, counted=counted)
        rest = [one for one in rest if one not in out]
    return out


def _as_said(messages: Sequence[bytes]) -> LastSaid:
    return LastSaid(len(messages), decode(messages[0]) if messages else None)


def _of(headers: Sequence[str], count: int) -> Query:
    matches = tuple(ReferenceMatch("Communication", one, "") for one in headers)
    filters = (ReferenceFilter("part-of", matches), LIVE)
    return Query("Communication", filters, sort=_NEWEST, count=count)


async def _alone(store: Reading, project: str, header: str, *, counted: bool) -> LastSaid:
    total = Total.ACCURATE if counted else Total.NONE
    page = await store.search(project, replace(_of([header], 1), total=total))
    last = decode(page.matches[0].body) if page.matches else None
    return LastSaid(page.total or 0, last)


class _Whole(msgspec.Struct):
    reference: str = ""


class _Parts(msgspec.Struct, rename={"part_of": "partOf"}):
    """As much of a message as tells in which threads it is."""

    part_of: list[_Whole] = []


_PARTS = msgspec.json.Decoder(_Parts)


def _headers(message: bytes) -> Iterable[str]:
    for part in _PARTS.decode(message).part_of:
        name = part.reference.rpartition("Communication/")[2]
        yield name.partition("/")[0]

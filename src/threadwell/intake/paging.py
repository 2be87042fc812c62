"""Everything that a query matches, page by page; and values, as many as are worked on at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from threadwell.fhir.search.query import Query
from threadwell.stores.contract import Reading, Stored
from threadwell.stores.scanning import scan

T = TypeVar("T")


async def search_all(store: Reading, project: str, query: Query) -> AsyncIterator[Stored]:
    """The matches one after the other, in the query's order, each once (``scanning.scan``)."""
    async for match in scan(store, project, query):
        yield match


def chunks(values: Iterable[T], size: int = 200) -> list[list[T]]:
    """The values in lists of at most ``size``: as many as one query asks for at once."""
    every = list(values)
    return [every[at : at + size] for at in range(0, len(every), size)]


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most that size, read only as far as they are asked for."""
    every = iter(items)
    while some := list(islice(every, size)):
        yield some

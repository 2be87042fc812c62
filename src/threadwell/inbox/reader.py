"""How a page reads: searches as FHIR writes them, and many references at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from threadwell.access.policy import Policy
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query
from threadwell.inbox.turning import Turns, opened_at, turns
from threadwell.messages import OCTETS, parse_media_type
from threadwell.stores.contract import Key, Reading, Store
from threadwell.stores.scanning import scan


class Found(NamedTuple):
    """A page of a search: its resources, the total if asked for, and the pages around it."""

    resources: list[Resource]
    total: int | None
    turns: Turns


class Reader:
    """Reads one project's resources for one page, through the ``view`` of whoever looks.

    ``whole`` is the store itself, for what is no resource (``kept``). ``policy`` is what limits
    them, ``None`` where nothing does.
    """

    def __init__(
        self,
        whole: Store,
        project: str,
        view: Reading | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.view: Reading = view or whole
        self.whole = whole
        self.project = project
        self.policy = policy
        self._known: dict[Key, Resource | None] = {}

    async def search(self, query: str, **parameters: str | int) -> Found:
        """The answer to a search such as ``Encounter?_sort=-date``; ``parameters`` are added."""
        asked = _query(query, parameters)
        return await self.open(asked, asked.count)

    async def open(self, query: Query, count: int, cursor: str = "") -> Found:
        """The page of a search that a cursor of it leads to, ``""`` to the first."""
        asked = opened_at(query, cursor, count)
        page = await self.view.search(self.project, asked)
        resources = [decode(match.body) for match in page.matches]
        return Found(resources, page.total, turns(asked, page))

    async def page(self, query: str, count: int, cursor: str, **parameters: str | int) -> Found:
        """The same for a search such as ``Encounter?_sort=-date``; ``parameters`` are added."""
        return await self.open(_query(query, parameters), count, cursor)

    async def search_all(self, query: str, **parameters: str | int) -> list[Resource]:
        """Every match, however many there are and whoever writes meanwhile."""
        matches = scan(self.view, self.project, _query(query, parameters))
        return [decode(match.body) async for match in matches]

    async def read(self, type_: str, id_: str) -> Resource | None:
        """The resource; ``None`` if there is none or it was deleted."""
        stored = await self.view.read(self.project, type_, id_)
        return None if stored is None or stored.deleted else decode(stored.body)

    async def read_binary(self, id_: str) -> tuple[str, bytes] | None:
        """The content type (lower case, without parameters) and the bytes of a ``Binary``."""
        stored = await self.view.read(self.project, "Binary", id_)
        if stored is None or stored.deleted:
            return None
        content = await self.view.content(self.project, id_, stored.version_id)
        kind = parse_media_type(str(decode(stored.body).get("contentType", "")))
        return (kind.name if kind else OCTETS, content or b"")

    async def learn(self, references: Iterable[Any]) -> None:
        """Read what the ``Reference`` elements refer to, all at once, for ``known``."""
        keys = {key for reference in references if (key := key_of(reference))} - self._known.keys()
        stored = await self.view.read_many(self.project, sorted(keys))
        for key in keys:
            found = stored.get(key)
            self._known[key] = decode(found.body) if found and not found.deleted else None

    def known(self, reference: Any) -> Resource | None:
        """The resource that a learned reference refers to, if it is there."""
        key = key_of(reference)
        return self._known.get(key) if key else None


def _query(query: str, parameters: Mapping[str, str | int]) -> Query:
    from threadwell.fhir.search.parse import parse_query  # lists that are walked need none

    type_, _, written = query.partition("?")
    pairs = [*parse_qsl(written), *((name, str(value)) for name, value in parameters.items())]
    return parse_query(type_, pairs)


def key_of(reference: Any) -> Key | None:
    """The key of a relative ``Reference`` (``Patient/1``); ``None`` for any other."""
    text = reference.get("reference", "") if isinstance(reference, dict) else ""
    type_, slash, id_ = text.partition("/")
    return Key(type_, id_.partition("/")[0]) if slash and type_.isalpha() and id_ else None


def id_in(reference: Any, type_: str) -> str:
    """The id of a reference to a ``type_``, else ``""``."""
    key = key_of(reference)
    return key.id if key and key.type == type_ else ""

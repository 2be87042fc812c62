"""Messages found by words that somebody types, the newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.fold import fold
from threadwell.fhir.search.query import MissingFilter, Query, Sort, TokenFilter, TokenMatch
from threadwell.inbox.dates import Dates
from threadwell.inbox.names import name_of
from threadwell.inbox.reader import Reader, id_in
from threadwell.stores.contract import Key
from threadwell.stores.scanning import scan

#: The most messages that are found at once, and how many are looked through for them.
MOST = 50
LOOKED_THROUGH = 50_000
#: As much of a text as a list shows.
_MOST_TEXT = 160

_LIVE = TokenFilter(
    "status",
    (TokenMatch(None, "entered-in-error"), TokenMatch(None, "preparation")),
    negate=True,
)


@dataclass(frozen=True, slots=True)
class MessageFound:
    """A message to choose among several; ``href`` is the page of its session, ``""`` for none."""

    id: str
    sender: str
    when: str
    text: str
    href: str


async def find_messages(reader: Reader, text: str) -> list[str]:
    """The ids of the newest messages in which all words of a text stand, at most ``MOST``.

    Case and accents make no difference. So many of the newest are looked through.
    """
    words = [fold(word) for word in text.split()]
    if not words:
        return []
    child = MissingFilter("part-of", missing=False)
    query = Query("Communication", (child, _LIVE), (Sort("sent", descending=True),))
    found: list[str] = []
    looked = 0
    async for stored in scan(reader.store, reader.project, query):
        looked += 1
        said = fold(_text(decode(stored.body)))
        if all(word in said for word in words):
            found.append(stored.id)
        if len(found) == MOST or looked == LOOKED_THROUGH:
            break
    return found


async def messages_of(reader: Reader, ids: Iterable[str], dates: Dates) -> list[MessageFound]:
    """The messages of those ids, in their order; what is not there is left out."""
    children = await _read(reader, ids)
    headers = await _read(reader, map(_header, children.values()))
    await reader.learn(one.get("sender") for one in children.values())
    return [
        MessageFound(
            id_,
            name_of(child.get("sender"), reader) if child.get("sender") else "Unknown",
            dates.text(child.get("sent")),
            " ".join(_text(child).split())[:_MOST_TEXT],
            _href(id_, headers.get(_header(child), {})),
        )
        for id_, child in children.items()
    ]


def _href(id_: str, header: Resource) -> str:
    session = id_in(header.get("encounter"), "Encounter")
    return f"/sessions/{session}#m-{id_}" if session else ""


async def _read(reader: Reader, ids: Iterable[str]) -> dict[str, Resource]:
    keys = [Key("Communication", id_) for id_ in dict.fromkeys(ids) if id_]
    found = await reader.store.read_many(reader.project, keys) if keys else {}
    return {
        key.id: decode(found[key].body) for key in keys if key in found and not found[key].deleted
    }


def _header(child: Resource) -> str:
    return id_in(next(iter(child.get("partOf") or ()), None), "Communication")


def _text(child: Resource) -> str:
    return "\n".join(one.get("contentString", "") for one in child.get("payload") or ())

"""What was read follows the messages: into other threads, and where they are taken back.

A recut, a correction, or a late message gives messages another thread header. Whoever has read them
has read them there. In a thread that comes of several, they have read up to the first message that
they had not read in its thread of before: what is in doubt is unread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from threadwell.encounters import codes
from threadwell.encounters.merge import is_live
from threadwell.encounters.placed import Link, Placed
from threadwell.encounters.receipts import (
    cancelled,
    is_of_message,
    mark,
    mark_identity,
    marked,
    reads_in,
    wanted_again,
    with_read,
    without_read,
)
from threadwell.encounters.retracted import RETRACTED
from threadwell.encounters.times import parse_fhir_time
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Filter, Query, ReferenceFilter, TokenFilter
from threadwell.fhir.search.sought import ReferenceMatch, TokenMatch
from threadwell.intake.commits.batch import Batch
from threadwell.intake.links import as_key, target
from threadwell.intake.paging import chunks, search_all
from threadwell.intake.receipts.making import Current
from threadwell.stores.contract import Key, Store, Stored

_RECEIPT = TokenFilter(
    "code", (TokenMatch(codes.READ_RECEIPT["system"], codes.READ_RECEIPT["code"]),)
)


class Moved(NamedTuple):
    """A message, sent ``at`` (µs), that has another thread header than before, by logical ids."""

    child: str
    at: int
    old: str
    new: str


def moved_in(links: Iterable[tuple[Placed, Link]]) -> list[Moved]:
    """The messages that those links give another thread header."""
    return [
        Moved(one.child, one.sent.at, one.link.header, link.header)
        for one, link in links
        if one.link is not None and one.link.header not in ("", link.header)
    ]


async def follow_moves(
    batch: Batch, moves: Sequence[Moved], store: Store, project: str, current: Current
) -> None:
    """Add to a batch what was read of messages that it gives other thread headers."""
    if moves:
        await _Following(batch, moves, store, project, current).follow()


async def follow_taken_back(
    batch: Batch, gone: Mapping[str, bool], store: Store, project: str
) -> None:
    """Let the Tasks of messages be of what those are now: whether each is ``gone``, by logical id.

    Of what was taken back nobody has to read anything; where that was taken back itself, they have
    to again.
    """
    for some in chunks(sorted(gone)):
        of = tuple(ReferenceMatch("Communication", one, "") for one in some)
        query = Query("Task", (_RECEIPT, ReferenceFilter("based-on", of)))
        async for stored in search_all(store, project, query):
            body: Resource = decode(stored.body)
            child = as_key(str(body["basedOn"][0].get("reference", ""))).id
            now = cancelled(body) if gone.get(child) else wanted_again(body)
            if now != body:
                batch.write(Key("Task", stored.id), now, stored)


async def are_gone(children: Iterable[str], current: Current) -> dict[str, bool]:
    """Whether each of those messages was taken back, or deleted; of those that there ever were."""
    found = await current([Key("Communication", one) for one in children])
    return {
        key.id: one.deleted or decode(one.body).get("status") == RETRACTED
        for key, one in found.items()
    }


def gone_in(batch: Batch) -> dict[str, bool]:
    """The messages that a batch lets go of: another one has taken their place."""
    return {
        key.id: True
        for key, write in batch.writes.items()
        if write.before is not None
        and key.type == "Communication"
        and write.resource is not None
        and write.resource.get("status") == RETRACTED
        and "partOf" in write.resource
    }


@dataclass(slots=True)
class _Following:
    batch: Batch
    moves: Sequence[Moved]
    store: Store
    project: str
    current: Current

    async def follow(self) -> None:
        """Tasks of messages, marks of threads, and what headers tell."""
        olds = sorted({one.old for one in self.moves})
        news = {one.child: one.new for one in self.moves}
        until: dict[str, dict[str, int]] = {}
        for some in chunks(olds):
            threads = tuple(ReferenceMatch("Communication", one, "") for one in some)
            filters: tuple[Filter, ...] = (_RECEIPT, ReferenceFilter("focus", threads))
            async for stored in search_all(self.store, self.project, Query("Task", filters)):
                body: Resource = decode(stored.body)
                if is_of_message(body):
                    self._focus(stored, body, news)
                elif (read := marked(body)) is not None:
                    old = as_key(target(body, "focus")).id
                    until.setdefault(target(body, "owner"), {})[old] = read
        await self._mark(until)
        await self._tell_by_headers(olds)

    def _focus(self, stored: Stored, body: Resource, news: Mapping[str, str]) -> None:
        child = as_key(str(body["basedOn"][0].get("reference", ""))).id
        if child in news:
            focus = {"reference": f"Communication/{news[child]}"}
            self.batch.write(Key("Task", stored.id), {**body, "focus": focus}, stored)

    async def _mark(self, until: Mapping[str, Mapping[str, int]]) -> None:
        wanted = {
            Key("Task", mark_identity(who, new).id): (who, new, read)
            for who, of in until.items()
            for new, read in self._read(of).items()
            if read >= min(one.at for one in self.moves if one.new == new)
        }
        there = await self.current(list(wanted)) if wanted else {}
        for key, (who, new, read) in wanted.items():
            self.batch.write(key, mark(mark_identity(who, new), who, new, read), there.get(key))

    async def _tell_by_headers(self, olds: Sequence[str]) -> None:
        stored = await self.current([Key("Communication", one) for one in olds])
        told: dict[str, dict[str, tuple[str, int | None]]] = {}
        for key, one in stored.items():
            for who, last, at in () if one.deleted else reads_in(decode(one.body)):
                told.setdefault(who, {})[key.id] = (last, at)
        names = {as_key(last) for of in told.values() for last, _ in of.values() if last}
        lasts = await self.current(sorted(names)) if names else {}
        for who, of in told.items():
            until = {
                old: _sent(lasts.get(as_key(last))) or at or 0 for old, (last, at) in of.items()
            }
            at = max((at or 0 for _, at in of.values()), default=0)
            for new, read in self._read(until).items():
                self._tell(new, who, read, at)

    def _tell(self, new: str, who: str, read: int, at: int) -> None:
        key = Key("Communication", new)
        write = self.batch.writes[key]
        header = write.resource or {}
        mine = [one for one in self.moves if one.new == new and one.at <= read]
        if not mine:
            told = without_read(header, who)
        else:
            last = max(mine, key=lambda one: one.at)
            told = with_read(header, who, f"Communication/{last.child}", at)
        if told != header:
            self.batch.write(key, told, write.before)

    def _read(self, until: Mapping[str, int]) -> dict[str, int]:
        """Up to when somebody has read the new threads, who has read the old ones ``until`` then.

        Where they have read nothing of it, that is before its first message. Of a thread that was
        there before, what was read of it itself counts.
        """
        out: dict[str, int] = {}
        for new in sorted({one.new for one in self.moves}):
            write = self.batch.writes.get(Key("Communication", new))
            if write is None or (write.before is not None and is_live(_body(write.before))):
                continue
            mine = [one for one in self.moves if one.new == new]
            read = max(until.get(one.old, 0) for one in mine)
            unread = [one.at - 1 for one in mine if one.at > until.get(one.old, 0)]
            out[new] = min([read, *unread])
        return out


def _body(stored: Stored) -> Resource:
    body: Resource = decode(stored.body) if not stored.deleted else {"status": RETRACTED}
    return {"resourceType": "Communication", **body}


def _sent(stored: Stored | None) -> int:
    body: Resource = decode(stored.body) if stored and not stored.deleted else {}
    try:
        return parse_fhir_time(str(body["sent"])) if "sent" in body else 0
    except ValueError:
        return 0

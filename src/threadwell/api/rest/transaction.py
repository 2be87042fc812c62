"""transaction (FHIR R4 §3.1.0.11.2): every entry is written, in one commit, or none is.

First it is found which resource each entry is about, so that their links to each other can be
resolved; then each entry is decided; then all of it is committed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from threadwell.api.answers import written
from threadwell.api.context import Context, Handler
from threadwell.api.etags import check_write
from threadwell.api.exchange import Answer, Request
from threadwell.api.failing import answered
from threadwell.api.outcomes import OK, outcome_answer, refusal
from threadwell.api.rest.accept import Accepted, accept
from threadwell.api.rest.billed import refuse_billed, rested_on_bills
from threadwell.api.rest.change import Change, created, deleted, updated
from threadwell.api.rest.commit import settle
from threadwell.api.rest.content import keep_content
from threadwell.api.rest.detailed import refuse_foreign
from threadwell.api.rest.entries import Entry, within
from threadwell.api.rest.links import Links
from threadwell.api.rest.patch import patched
from threadwell.api.rest.pending import Pending
from threadwell.api.rest.pointing import refuse_dangling
from threadwell.api.rest.read import existing
from threadwell.api.rest.room import Room, too_costly
from threadwell.api.rest.targets import Target, find_targets
from threadwell.api.rest.unsent import refuse_unsent
from threadwell.api.rest.update import check_id, check_unnamed
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.references import references
from threadwell.fhir.resource import Resource
from threadwell.stores.aside import LARGE, Pauses, aside
from threadwell.stores.contract import ChangeSet, Key, Stored, Unchanged, Unmatched
from threadwell.stores.resting import Resting

#: Mistakes that are told of one transaction.
_MOST = 1000


async def transaction(
    context: Context, request: Request, entries: list[Entry], perform: Handler
) -> list[Answer]:
    """The answer to each entry; raises ``FhirError`` and writes nothing if any of them fails.

    What cannot be read any more once all is written is answered so by its own entry.
    """
    _refuse_operations(entries)
    writes = [entry for entry in entries if not entry.reads]
    reads = [entry for entry in entries if entry.reads]
    changes = await settle(context, lambda: _attempt(context, request, writes, reads, perform))
    room, pauses = Room(), Pauses()
    answers: dict[int, Answer] = {}
    for entry, change in zip(writes, changes, strict=True):
        await pauses.pause()
        answer = (
            await written(context, entry.request, change.stored, change.status)
            if change and not change.stored.deleted
            else outcome_answer(200, OK, entry.request.headers)
        )
        answers[entry.index] = room.written(answer)
    for entry in reads:
        answer = await answered(context, _asked(entry), perform)
        if not room.has(answer):
            answer = refusal(too_costly(), entry.request.headers)
        answers[entry.index] = answer
    return [answers[entry.index] for entry in entries]


def _refuse_operations(entries: Sequence[Entry]) -> None:
    """An operation commits by itself: raises 400 for one that changes something."""
    text = "An operation that changes something is no part of a transaction: send it in a batch"
    issues = [
        Issue("not-supported", text, f"{entry.path}.request.url")
        for entry in entries
        if entry.changes_by_operation
    ]
    if issues:
        raise FhirError(400, issues)


async def _attempt(
    context: Context,
    request: Request,
    writes: Sequence[Entry],
    reads: Sequence[Entry],
    perform: Handler,
) -> list[Change | None]:
    targets = await find_targets(context, writes)
    await _check_reads(context, reads, targets, perform)
    draft = _Draft(context, request, targets)
    pauses = Pauses()
    for target in targets:
        await draft.add(target)
        if len(draft.issues) >= _MOST:
            break
        await pauses.pause()
    if draft.issues:
        raise FhirError(400, draft.issues[:_MOST])
    await draft.check_details(targets)
    await context.view.commit(context.project, draft.change_set(targets))
    return draft.changes


async def _check_reads(
    context: Context, reads: Sequence[Entry], targets: Sequence[Target], perform: Handler
) -> None:
    # Reading comes last and sees what was written; but what fails must fail before the commit.
    written_paths = {f"{target.type}/{target.id}" for target in targets}
    room = Room()
    for entry in reads:
        if entry.request.path not in written_paths:
            try:
                room.read(await perform(context, _asked(entry)))
            except FhirError as error:
                raise within(entry, error) from None


def _asked(entry: Entry) -> Request:
    """A request of the entry that may be performed, which changes it, and then another one."""
    body = b"" if entry.resource is None else encode(entry.resource)
    return replace(entry.request, body=body)


class _Draft:
    """What the transaction will write, entry by entry."""

    def __init__(self, context: Context, request: Request, targets: Sequence[Target]) -> None:
        #: For each target what becomes of it; ``None`` for a delete that selects nothing.
        self.changes: list[Change | None] = []
        #: All that is wrong with what the entries bring.
        self.issues: list[Issue] = []
        self._context = context
        self._bills, self._seen = rested_on_bills(context), Resting(context.view)
        self._author = request.caller.author
        self._now = context.clock()
        self._may_be_large = len(request.body) >= LARGE
        self._links = Links(targets, versioned=b"/_history/" in request.body)
        self._pending = Pending(context, targets, self._links, self._now)
        self._by_key: dict[Key, Change] = {}
        deletes = {target.key for target in targets if target.entry.request.method == "DELETE"}
        #: What is there when all is written, and what is not any more.
        self._made = {target.key for target in targets} - deletes
        self._gone = deletes

    async def add(self, target: Target) -> None:
        """Decide one entry; raises ``FhirError`` for what is no mistake in its content."""
        change = None
        try:
            change = await self._decide(target)
        except FhirError as error:
            located = within(target.entry, error)
            if error.status != 400:
                raise located from None
            self.issues += located.issues
        if change and change.write:
            try:
                await refuse_billed(self._bills, self._context.project, change.write)
                await refuse_unsent(self._context, change.write)
                await refuse_dangling(self._context, change.write, self._made, self._gone)
            except FhirError as error:
                raise within(target.entry, error) from None
        if change:
            self._by_key[target.key] = change
        self.changes.append(change)

    async def check_details(self, targets: Sequence[Target]) -> None:
        """Look whether each clinical detail is on its own patient's Encounter; raises 422."""
        writes = {key: one.write for key, one in self._by_key.items() if one.write}
        made = {key: one.resource for key, one in writes.items() if one.resource is not None}
        for target in targets:
            if (write := writes.get(target.key)) is not None:
                try:
                    await refuse_foreign(self._seen, self._context.project, write, made)
                except FhirError as error:
                    raise within(target.entry, error) from None

    def change_set(self, targets: Sequence[Target]) -> ChangeSet:
        """All of it, guarded by what the decisions rest on."""
        writes = {key: change.write for key, change in self._by_key.items() if change.write}
        unchanged = [
            Unchanged(change.stored) for key, change in self._by_key.items() if key not in writes
        ]
        unmatched = [
            Unmatched(target.unmatched)
            for target in targets
            if target.unmatched and not target.repeats
        ]
        rests = (*unchanged, *self._bills.rests(self._by_key), *self._seen.rests(self._by_key))
        return ChangeSet(tuple(writes.values()), tuple(unmatched), rests)

    async def _decide(self, target: Target) -> Change | None:
        request, current = target.entry.request, target.current
        if request.method != "POST":
            check_write(request, current)
        pinned = target.version_id if target.key in self._links.pinned else ""
        match request.method:
            case "DELETE":
                return deleted(current, self._now, self._author) if current else None
            case "PATCH":
                change = await patched(
                    self._context,
                    existing(current),
                    self._links.led(target),
                    self._now,
                    self._author,
                    find=self._pending.find,
                    version_id=pinned,
                )
                if change.write and change.write.resource:
                    _check_links(change.write.resource, known=change.write.before)
                return change
            case "POST" if current:
                return Change(200, current, None)
            case "POST" if target.repeats and target.key in self._by_key:
                return self._by_key[target.key]._replace(status=200)
        accepted = await self._accept(target)
        resource, content = accepted.resource, accepted.content
        if current is None:
            return created(resource, target.id, self._now, self._author, content, pinned)
        change = await aside(
            len(current.body),
            lambda: updated(resource, current, self._now, self._author, content, pinned),
        )
        return await keep_content(self._context, change)

    def _size(self, resource: Any) -> int:
        return len(encode(resource)) if self._may_be_large else 0

    async def _accept(self, target: Target) -> Accepted:
        # A copy, since a transaction may be decided anew.
        resource = self._links.led(target)
        if target.entry.request.method == "POST" and isinstance(resource, dict):
            resource.pop("id", None)
        accepted = await accept(
            self._context,
            resource,
            target.type,
            size=self._size(resource),
            find=self._pending.find,
            before=target.current,
        )
        if target.entry.request.method == "PUT":
            if target.unmatched:
                check_unnamed(accepted.resource)
            elif not target.entry.request.query or "id" in accepted.resource:
                check_id(accepted.resource, target.id)
        _check_links(accepted.resource)
        return accepted


def _check_links(resource: Resource, known: Stored | None = None) -> None:
    """Raise 400 for a reference that leads nowhere, unless it stands in ``known`` already."""
    for path, reference in references(resource):
        text = reference["reference"]
        is_known = known is not None and text.encode() in known.body
        if text.startswith(("urn:uuid:", "urn:oid:")) and not is_known:
            raise invalid("The reference leads to no entry of this transaction", path)

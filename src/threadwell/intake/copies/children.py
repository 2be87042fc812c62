"""Child Communications become writes: those of new messages, and those that have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from threadwell.encounters.child import child, contents, files_of, relink
from threadwell.encounters.mould import mould_of
from threadwell.encounters.placed import Link, Placed
from threadwell.encounters.retracted import retracted
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.circle import Circle
from threadwell.intake.commits.batch import Batch
from threadwell.intake.copies.recording import Draft
from threadwell.messages import Message
from threadwell.stores.contract import Key, Stored


def write_child(
    batch: Batch, placed: Placed, message: Message, link: Link, former: Mapping[Key, Stored]
) -> None:
    """Add a new message and its files; ``former`` are versions that they follow, if they do."""
    key = Key("Communication", placed.child)
    mould = None if placed.undone else mould_of(message, link)
    placed.link, placed.message = link, None
    if mould is not None:
        marks = batch.version, batch.updated
        made = mould.filled(message, placed.sent.at, placed.child, link.header, *marks)
        batch.put_stamped(key, *made, former.get(key))
        return
    attached = files_of(message)
    body = child(message, placed.child, link, attached)
    batch.put(key, retracted(body, placed.undone) if placed.undone else body, former.get(key))
    for file in contents(message, placed.child, attached):
        binary = Key("Binary", file.id)
        batch.write(binary, file.resource, former.get(binary), content=file.content)


def write_changed(
    batch: Batch,
    relinked: Sequence[tuple[Circle, Placed, Link]],
    drafts: Mapping[str, Draft],
    current: Mapping[Key, Stored],
) -> None:
    """Add the stored messages that have other links now, or say more.

    ``drafts`` are those that say more, by child, and ``current`` the versions of the relinked.
    """
    links = {placed.child: link for _, placed, link in relinked}
    for id_, draft in drafts.items():
        link = links.get(id_, draft.placed.link)
        if link is not None:
            _write(batch, draft.circle, draft.placed, link, draft.body, draft.before)
    for circle, placed, link in relinked:
        before = current.get(Key("Communication", placed.child))
        # What somebody has deleted meanwhile stays so.
        if placed.child not in drafts and before is not None and not before.deleted:
            _write(batch, circle, placed, link, decode(before.body), before)


def _write(
    batch: Batch,
    circle: Circle,
    placed: Placed,
    link: Link,
    body: Resource,
    before: Stored | None,
) -> None:
    sender = circle.parties[placed.sender].address
    recipients = tuple([circle.parties[one].address for one in placed.recipients])
    linked = relink(body, link, sender, recipients)
    placed.link = link
    if before is None or before.deleted or linked != decode(before.body):
        batch.write(Key("Communication", placed.child), linked, before)

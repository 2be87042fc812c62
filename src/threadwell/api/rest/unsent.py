"""What a client creates in a thread is a reply, and is sent; or it is refused, and says why.

A reply commits by itself. What would look like one, and come to nobody, must not be stored: one in
a transaction or created under a condition. A draft is sent by an update or patch of its own.
"""

from __future__ import annotations

from typing import Any

from threadwell.api.context import Context
from threadwell.encounters.child_ids import own_of
from threadwell.encounters.drafts import is_draft
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.references import parse_absolute, split_reference
from threadwell.intake.circles.place import thread_of
from threadwell.intake.links import circle_of
from threadwell.intake.replies.writing import AUTHORS, channel_of
from threadwell.stores.contract import Write

#: The resource type of messages and threads.
TYPE = "Communication"
_UNSENT = (
    "It would not be sent: a reply is created by a POST of its own, without a condition, or by "
    "$reply; a draft is sent by an update or patch of its own, and not in a transaction"
)

_NO_DRAFT = "It is a message, and no draft any more: take it back by $retract"
_NO_THREAD = "It would not be sent: its thread has been deleted"


async def refuse_unsent(context: Context, write: Write) -> None:
    """Raise 422 for what looks like a reply that is sent, and is not sent.

    So is a message that is to be a draft again: it may be on its way.
    """
    body = write.resource
    if write.type != TYPE or body is None:
        return
    before = write.before
    if is_draft(body) and before is not None and not before.deleted:
        was: Resource = decode(before.body)
        if own_of(was) is not None and not is_draft(was):
            raise FhirError(422, [Issue("business-rule", _NO_DRAFT, f"{TYPE}.status")])
    if not may_be_reply(body):
        return
    unsent = before is None or before.deleted or is_sending(write)
    thread = local(context, body["partOf"][0])
    if is_sending(write) and await _is_deleted(context, thread):
        raise FhirError(422, [Issue("business-rule", _NO_THREAD, f"{TYPE}.partOf")])
    if unsent and await sends(context, thread):
        raise FhirError(422, [Issue("business-rule", _UNSENT, f"{TYPE}.status")])


def is_sending(write: Write) -> bool:
    """Whether a draft is to be a message that a person of the practice has written."""
    before, body = write.before, write.resource
    return (
        before is not None
        and not before.deleted
        and body is not None
        and may_be_reply(body, named=True)
        and is_draft(decode(before.body))
    )


def may_be_reply(resource: Resource, *, named: bool = False) -> bool:
    """Whether a person of the practice writes it, it is no draft, and has no identity yet.

    A draft may be ``named`` already, by whoever has made it.
    """
    sender = str((resource.get("sender") or {}).get("reference", ""))
    return (
        resource.get("status") == "in-progress"
        and (named or "identifier" not in resource)
        and len(resource.get("partOf") or ()) == 1
        and any(name in sender for name in AUTHORS)
    )


async def sends(context: Context, thread: str) -> bool:
    """Whether that is a thread header that Threadwell keeps, of a channel that sends."""
    type_, _, id_ = thread.partition("/")
    stored = await context.view.read(context.project, type_, id_) if type_ == TYPE else None
    if stored is None or stored.deleted:
        return False
    body: Resource = decode(stored.body)
    if not circle_of(body) or thread_of(body) is None:
        return False
    channel = context.channels().get(channel_of(body))
    return channel is not None and channel.live is not None and channel.live.send is not None


async def _is_deleted(context: Context, thread: str) -> bool:
    type_, _, id_ = thread.partition("/")
    stored = await context.view.read(context.project, type_, id_) if type_ == TYPE else None
    return stored is not None and stored.deleted


def local(context: Context, value: dict[str, Any]) -> str:
    """``Type/id`` of what a Reference refers to, ``""`` where that is not of this server."""
    text = str(value.get("reference", ""))
    absolute = parse_absolute(text)
    if absolute is not None:
        return f"{absolute.type}/{absolute.id}" if absolute.base in context.bases else ""
    type_, id_ = split_reference(text)
    return f"{type_}/{id_}"

"""Replies: by ``$reply``, and by a child Communication that a client creates in a thread.

The operation is Threadwell's own; ``guide/operations/reply.json`` defines it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from threadwell.api.answers import written
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest.acting import acting, seat_of
from threadwell.api.rest.change import Change
from threadwell.api.rest.parameters import PATH
from threadwell.api.rest.read import existing
from threadwell.api.rest.refusing import refusing
from threadwell.api.rest.said import (
    attachment,
    named_parameters,
    referred,
    words,
)
from threadwell.api.rest.unsent import TYPE, is_sending, local, may_be_reply, sends
from threadwell.encounters.codes import BASE
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import invalid
from threadwell.fhir.resource import Resource
from threadwell.intake.replies.asked import BadReply, Replied, Stale, parent_of
from threadwell.intake.replies.words import file_of, words_of
from threadwell.intake.replies.writing import AUTHORS, reply, write_reply
from threadwell.intake.thread_acts.drafting import send_draft
from threadwell.messages import Attachment
from threadwell.stores.contract import Conflict, Key

NAME = "$reply"
#: The url of its OperationDefinition; ``TYPE`` is the resource type that has it.
DEFINITION = f"{BASE}OperationDefinition/{NAME[1:]}"


async def reply_in(context: Context, request: Request) -> Answer:
    """200 with Parameters that name the message and the thread header that has it.

    404 and 410 where there is no such Communication, 422 where nobody can reply in it so, 409 where
    others keep writing to the thread.
    """
    for key, _ in parse_params(request.query):
        raise invalid(f"In the URL {NAME} takes nothing: {key[:64]} is for the body")
    asked = await asked_of(context, request)
    done = await _reply(context, request, f"{TYPE}/{request.id}", asked)
    told = [
        {"name": "message", "valueReference": {"reference": done.message}},
        {"name": "thread", "valueReference": {"reference": done.thread}},
    ]
    return Answer(200, [JSON, PRIVATE], encode({"resourceType": "Parameters", "parameter": told}))


async def sent_from(context: Context, request: Request, resource: Resource) -> Answer | None:
    """The answer to the create of a message that is a reply; ``None`` if it is none.

    It is one where a person of the practice writes it, it is no draft, has no identity of its own,
    and its thread is one that Threadwell keeps, of a channel that sends. Raises as ``reply_in``.
    """
    if request.type != TYPE or not may_be_reply(resource):
        return None
    written_ = _localised(context, resource)
    if not await sends(context, parent_of(written_)):
        return None
    store = await context.view.acting(None, request.body, written_)
    with refusing():
        seat = await seat_of(context, request, store)
        said = await words_of(store, context.project, written_)
        done = await write_reply(seat, parent_of(written_), said, context.channels())
    stored = await context.view.read(context.project, TYPE, done.message.partition("/")[2])
    return await written(context, request, existing(stored), 201)


async def sent_by(context: Context, request: Request, change: Change) -> Change | None:
    """What becomes of a draft whose status says that it is sent; ``None`` where that is not so.

    Raises ``Conflict`` where it has been changed meanwhile, and as ``reply_in``.
    """
    write = change.write
    body = write.resource if write else None
    if write is None or body is None or write.type != TYPE or not is_sending(write):
        return None
    changed = _localised(context, body)
    if not await sends(context, parent_of(changed)):
        return None
    store = await context.view.acting(Key(TYPE, write.id), request.body, changed)
    try:
        with refusing():
            await send_draft(
                await seat_of(context, request, store),
                f"{TYPE}/{write.id}",
                context.channels(),
                changed=changed,
                version=write.before.version_id if write.before else "",
            )
    except Stale:
        raise Conflict(Key(TYPE, write.id)) from None
    return Change(200, existing(await context.view.read(context.project, TYPE, write.id)), None)


def _localised(context: Context, resource: Resource) -> Resource:
    """The resource, with references to this server as they are stored."""
    out = dict(resource)
    for name in ("partOf", "inResponseTo"):
        if name in resource:
            out[name] = [{**one, "reference": local(context, one)} for one in resource[name]]
    out["sender"] = {**resource["sender"], "reference": local(context, resource["sender"])}
    return out


def written_by(sender: str, thread: str) -> Resource:
    """A message as far as it is known before it is made: who writes it, and in which thread."""
    return {
        "resourceType": TYPE,
        "sender": {"reference": sender},
        "partOf": [{"reference": thread}],
    }


@dataclass(slots=True)
class Asked:
    """What is to be written, by whom, and what it answers."""

    text: str = ""
    sender: str = ""
    answers: str = ""
    key: str = ""
    why: str = ""
    saved: str = ""
    files: list[Attachment] = field(default_factory=list)


async def _reply(context: Context, request: Request, thread: str, asked: Asked) -> Replied:
    store = await acting(context, request, written_by(asked.sender, thread))
    with refusing():
        return await reply(
            await seat_of(context, request, store),
            thread,
            asked.text,
            context.channels(),
            sender=asked.sender,
            answers=asked.answers,
            files=asked.files,
            key=asked.key,
            saved=asked.saved,
        )


async def asked_of(context: Context, request: Request, operation: str = NAME) -> Asked:
    """What the parameters of ``$reply`` or ``$correct`` ask for; raises 400."""
    corrects = operation != NAME
    asked = Asked()
    for path, name, parameter in await named_parameters(request):
        match name:
            case "text":
                asked.text = words(parameter, path)
            case "key":
                asked.key = words(parameter, path)
            case "sender":
                types = tuple(one.removesuffix("/") for one in AUTHORS)
                asked.sender = referred(context, parameter, types, path)
            case "reason" if corrects:
                asked.why = words(parameter, path)
            case "saved" if not corrects:
                asked.saved = words(parameter, path)
            case "answers" if not corrects:
                asked.answers = referred(context, parameter, (TYPE,), path)
            case "attachment":
                asked.files.append(await _file(context, attachment(parameter, path), path))
            case _:
                raise invalid(f"Unknown parameter of {operation}: {name[:64]}", path)
    if not asked.sender:
        raise invalid("Say who writes: sender", PATH)
    if not (asked.text or asked.files or asked.saved):
        raise invalid("Say what: text, or attachment, or saved", PATH)
    return asked


async def _file(context: Context, given: dict[str, Any], path: str) -> Attachment:
    """A file that is a Binary of this server; raises 400."""
    context.signer.normalise(given)
    binary = local(context, {"reference": str(given.get("url", ""))})
    try:
        return await file_of(context.view, context.project, {**given, "url": binary})
    except BadReply as error:
        raise invalid(f"{str(error)[:1].upper()}{str(error)[1:]}", path) from None

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
from threadwell.api.rest.read import existing
from threadwell.api.rest.said import (
    PATH,
    asking,
    attachment,
    named_parameters,
    referred,
    words,
)
from threadwell.api.rest.unsent import TYPE, local, may_be_reply, sends
from threadwell.encounters.codes import BASE
from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.fhir.resource import Resource
from threadwell.intake.importing import Contended
from threadwell.intake.practice import kept_settings
from threadwell.intake.replies.writing import AUTHORS, BadReply, Replied, reply
from threadwell.intake.settings import BadSetting
from threadwell.messages import Attachment

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
    asked = await _asked(context, request)
    existing(await context.store.read(context.project, TYPE, request.id))
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
    parent = local(context, resource["partOf"][0])
    if not await sends(context, parent):
        return None
    asked = _Asked(sender=local(context, resource["sender"]))
    asked.answers = next((local(context, one) for one in resource.get("inResponseTo") or ()), "")
    texts = []
    for part in resource.get("payload") or ():
        if "contentString" in part:
            texts.append(part["contentString"])
        elif "contentAttachment" in part:
            asked.files.append(await _file(context, part["contentAttachment"], f"{TYPE}.payload"))
        else:
            raise FhirError(
                422, [Issue("business-rule", "A reference cannot be sent as a message")]
            )
    asked.text = "\n".join(texts)
    if asked.answers == parent:
        asked.answers = ""
    done = await _reply(context, request, parent, asked)
    stored = await context.store.read(context.project, TYPE, done.message.partition("/")[2])
    return await written(context, request, existing(stored), 201)


@dataclass(slots=True)
class _Asked:
    """What is to be written, by whom, and what it answers."""

    text: str = ""
    sender: str = ""
    answers: str = ""
    key: str = ""
    files: list[Attachment] = field(default_factory=list)


async def _reply(context: Context, request: Request, thread: str, asked: _Asked) -> Replied:
    try:
        return await reply(
            context.store,
            context.project,
            thread,
            asked.text,
            await kept_settings(context.store, context.project, context.labels()),
            context.channels(),
            sender=asked.sender,
            answers=asked.answers,
            files=asked.files,
            key=asked.key,
            by=asking(request),
            clock=context.clock,
        )
    except (BadReply, BadSetting) as error:
        raise FhirError(422, [Issue("business-rule", str(error))]) from None
    except Contended:
        raise FhirError(
            409, [Issue("conflict", "Conflict: please try again")], "conflict"
        ) from None


async def _asked(context: Context, request: Request) -> _Asked:
    """What the parameters ask for; raises 400."""
    asked = _Asked()
    for path, name, parameter in await named_parameters(request):
        match name:
            case "text":
                asked.text = words(parameter, path)
            case "key":
                asked.key = words(parameter, path)
            case "sender":
                types = tuple(one.removesuffix("/") for one in AUTHORS)
                asked.sender = referred(context, parameter, types, path)
            case "answers":
                asked.answers = referred(context, parameter, (TYPE,), path)
            case "attachment":
                asked.files.append(await _file(context, attachment(parameter, path), path))
            case _:
                raise invalid(f"Unknown parameter of {NAME}: {name[:64]}", path)
    if not asked.sender:
        raise invalid("Say who writes: sender", PATH)
    if not (asked.text or asked.files):
        raise invalid("Say what: text, or attachment", PATH)
    return asked


async def _file(context: Context, given: dict[str, Any], path: str) -> Attachment:
    """A file that is a Binary of this server; raises 400."""
    context.signer.normalise(given)
    binary = local(context, {"reference": str(given.get("url", ""))})
    type_, _, id_ = binary.partition("/")
    stored = await context.store.read(context.project, type_, id_) if type_ == "Binary" else None
    if stored is None or stored.deleted:
        raise invalid("What is attached is a Binary of this server: create it first", path)
    content = await context.store.content(context.project, id_, stored.version_id)
    kind = str(given.get("contentType") or decode(stored.body).get("contentType", ""))
    return Attachment(str(given.get("title", "")), kind, content)

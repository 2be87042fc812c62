"""``POST admin/projects/{id}/invite``: an account for somebody, as Medplum's clients ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadwell.access.reading import BadPolicy
from threadwell.api.admin.answering import allowed
from threadwell.api.admin.memberships import as_membership, read_access
from threadwell.api.context import Context
from threadwell.api.endpoints.auth.bodies import body_of, refuse, text_of
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.fhir.outcome import FhirError, Issue, invalid, not_found
from threadwell.users.inviting import AlreadyMember, Invitation, Invited, invite
from threadwell.users.letters import invitation, send_letter
from threadwell.users.resetting import PRACTICE
from threadwell.users.user import BadUser

_LINK = "https://threadwell.dev/fhir/StructureDefinition/set-password-url"


async def new_member(context: Context, request: Request) -> Answer:
    """200 with the ProjectMembership, for callers that may invite others (403).

    The link by which its owner sets a password is mailed to them, with ``sendEmail``, if a mail
    account of the practice sends; else it is in the answer, as an extension.
    """
    await allowed(context, request)
    if request.path.split("/")[2] != context.project:
        raise not_found()
    body = body_of(request)
    asked = _asked(body)
    try:
        invited = await invite(
            context.whole,
            context.project,
            asked,
            author=request.caller.reference,
            clock=context.clock,
        )
    except BadUser as error:
        refuse(error, error.where)
    except BadPolicy as error:
        refuse(error, "membership.accessPolicy")
    except AlreadyMember as error:
        text = str(error)
        raise FhirError(
            409, [Issue("duplicate", f"{text[:1].upper()}{text[1:]}", "email")], "conflict"
        ) from None
    sent = body.get("sendEmail") is not False and await _mailed(context, invited)
    return json_answer(200, await _answer(context, invited, sent=sent))


async def _mailed(context: Context, invited: Invited) -> bool:
    if invited.link is None:
        return False
    user = invited.user
    link = invited.link.url(context.base)
    subject, text = invitation(PRACTICE, user.first or user.name, link)
    channels = context.channels()
    return await send_letter(context.whole, context.project, channels, user.email, subject, text)


async def _answer(context: Context, invited: Invited, *, sent: bool) -> dict[str, Any]:
    made = await as_membership(context.whole, context.project, invited.user, invited.member)
    if invited.link is not None and not sent:
        url = invited.link.url(context.base)
        made["extension"] = [{"url": _LINK, "valueUrl": url}]
    return made


def _asked(body: Mapping[str, Any]) -> Invitation:
    """Medplum's ``InviteRequest``; what it says and we cannot honour is refused."""
    for name in ("externalId", "password", "scope", "forceNewMembership", "upsert"):
        if body.get(name):
            raise invalid(f"{name} is not supported", name)
    member = _object(body.get("membership"), "membership")
    for name in member:
        if name not in ("access", "accessPolicy", "admin", "profile", "resourceType"):
            raise invalid(f"{name} is not supported", f"membership.{name}")
    first, *more = read_access(member, "membership") or [("", {})]
    profile = member.get("profile")
    patient = body.get("patient")
    return Invitation(
        text_of(body, "email", needed=True),
        text_of(body, "firstName"),
        text_of(body, "lastName"),
        text_of(body, "resourceType", needed=True),
        _reference(profile, "membership.profile") if profile else "",
        *first,
        tuple(more),
        member.get("admin") is True or body.get("admin") is True,
        _reference(patient, "patient") if patient else "",
    )


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"{where} must be an object", where)
    return value


def _reference(value: Any, where: str) -> str:
    found = value.get("reference") if isinstance(value, dict) else None
    if not isinstance(found, str) or not found:
        raise invalid(f"{where} must be a Reference", where)
    return found

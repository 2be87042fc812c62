"""Replies go out by the Graph API.

Meta does not know that two requests are meant as one, and lists nothing that was sent: where nobody
knows how a request ended, a person has to look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from threadwell.calls.call import Call, Called
from threadwell.channels.account import Account
from threadwell.channels.objects import decode_object
from threadwell.channels.records import maps_of
from threadwell.channels.sending import Failed, Later, Limits, Outbound, Sent
from threadwell.channels.templates import Template, template_for
from threadwell.channels.whatsapp_cloud.files import base_of, headers_of
from threadwell.channels.whatsapp_cloud.values import map_of, word_of
from threadwell.messages import AddressKind

#: What one message may have.
LIMITS = Limits(characters=4096, files=1, together=100_000_000, caption=1024)
_GROUP, _WAMID = "group:", "wamid."

#: What Meta says of who asks (https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes).
_OF_THE_ACCOUNT = frozenset({"0", "3", "10", "190", "131005", "131031", "131042", "131045"})
_BUSY = frozenset({"4", "80007", "130429", "131048", "131056"})
_AWAY = frozenset({"2", "131016", "131057", "133004"})
_REASONS = {
    "368": "Meta has blocked the account for what it sent before",
    "131009": "something in it is not as WhatsApp takes it",
    "131021": "the practice's number cannot write to itself",
    "131026": "the number that it goes to is not on WhatsApp, or takes no such message",
    "131030": "a test number writes only to those that the app allows",
    "131047": "WhatsApp takes only templates more than a day after the recipient wrote last",
    "131050": "the recipient does not want such messages",
}


def meaning(code: str) -> str:
    """What a code means in plain words, ``""`` for one that is not known here."""
    return _REASONS.get(code, "")


def mute(account: Account) -> str:
    """Why nothing can be sent by an account; ``""`` where something can."""
    for name in ("phone_number_id", "access_token"):
        if not account.value(name):
            return f"the account {account.name} sends nothing: it has no {name}"
    return ""


def send(out: Outbound, account: Account, answer: Called | None) -> Call | Sent | Later | Failed:
    """The call that has Meta send a message, and what its answer means."""
    if answer is not None:
        return _outcome(answer)
    if why := mute(account):
        return Failed(why)
    number = account.value("phone_number_id")
    said = _said(out, account)
    if isinstance(said, Failed):
        return said
    headers = {**headers_of(account), "Content-Type": "application/json"}
    url = f"{base_of(account)}/{quote(number, '')}/messages"
    return Call("POST", url, headers, json.dumps(said).encode())


def _said(out: Outbound, account: Account) -> dict[str, Any] | Failed:
    if len(out.recipients) != 1 or out.thread.startswith(_GROUP):
        return Failed("only a chat of two can be answered")
    (to,) = out.recipients
    if to.kind is not AddressKind.PHONE:
        return Failed("the recipient hides the number, and cannot be answered from here")
    if len(out.files) > LIMITS.files:
        return Failed("a message of WhatsApp has one file at most")
    if len(out.text) > (LIMITS.caption if out.files else LIMITS.characters):
        return Failed("it is longer than WhatsApp takes")
    said: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to.value.removeprefix("+"),
    }
    if not out.files and (found := template_for(out.text, account)):
        said |= {"type": "template", "template": _template(*found)}
    elif out.files:
        caption = {"caption": out.text} if out.text else {}
        said |= {"type": "document", "document": {"link": out.files[0], **caption}}
    else:
        said |= {"type": "text", "text": {"body": out.text}}
    # What was written here has no such id before it is sent.
    if out.answers.startswith(_WAMID):
        said["context"] = {"message_id": out.answers}
    return said


def _template(template: Template, filled: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {"name": template.id, "language": {"code": template.language or "en"}}
    if filled:
        numbered = all(name.isdecimal() for name in filled)
        names = sorted(filled, key=int) if numbered else list(filled)
        # Slots with names are told by these, those with numbers by their order.
        parameters = [
            {"type": "text"}
            | ({} if numbered else {"parameter_name": name})
            | {"text": filled[name]}
            for name in names
        ]
        said["components"] = [{"type": "body", "parameters": parameters}]
    return said


def _is_of_permissions(code: str) -> bool:
    return len(code) == 3 and code.startswith("2") and code.isdecimal()


def _outcome(answer: Called) -> Sent | Later | Failed:
    decoded = decode_object(answer.body)
    told = decoded.value if decoded else {}
    if 200 <= answer.status < 300:
        ids = [word_of(one, "id") for one in maps_of(told.get("messages"))]
        id_ = next(filter(None, ids), "")
        return Sent(id_) if id_ else Later("Meta has answered without an id", doubtful=True)
    code = word_of(map_of(told, "error"), "code")
    if code in _BUSY or answer.status == 429:
        return Later("Meta is asked too much", code, answer.pause)
    if code in _AWAY or answer.status == 503:
        return Later("Meta is not there at the moment", code, answer.pause)
    if code in _REASONS:
        return Failed(_REASONS[code], code)
    if code in _OF_THE_ACCOUNT or _is_of_permissions(code) or answer.status in (401, 403):
        return Later("Meta does not take the credentials of the account", code)
    if answer.status >= 500:
        return Later("Meta has failed, and may have sent it", code, doubtful=True)
    return Failed("Meta refuses it", code)

"""Replies go out by the API of Telnyx.

Telnyx does not know that two requests are meant as one, and lists nothing that was just sent: where
nobody knows how a request ended, a person has to look.
"""

from __future__ import annotations

import json
from typing import Any

from threadwell.calls.call import Call, Called
from threadwell.channels.account import Account
from threadwell.channels.objects import decode_object
from threadwell.channels.records import maps_of, text_of
from threadwell.channels.sending import Failed, Later, Limits, Outbound, Sent
from threadwell.messages import AddressKind

_API = "https://api.telnyx.com"
#: What one message may have.
LIMITS = Limits(files=10, together=1_000_000)

#: What Telnyx says of who asks: credentials, a profile or an account that is switched off.
_OF_THE_ACCOUNT = frozenset({"10009", "10010", "40312", "40314"})
_BUSY = frozenset({"10011", "40011"})
_REASONS = {
    "40300": "the recipient has said STOP to that number",
    "40310": "the number that it goes to is none",
    "40305": "the account may not send from that number",
    "40302": "it is longer than Telnyx takes",
    "10039": "the account may write only to numbers that were verified before",
    "40309": "the messaging profile may not send to that country",
    "40316": "it says nothing",
    "40317": "its files are not as Telnyx takes them",
}


def meaning(code: str) -> str:
    """What a code means in plain words, ``""`` for one that is not known here."""
    return _REASONS.get(code, "")


def mute(account: Account) -> str:
    """Why nothing can be sent by an account; ``""`` where something can."""
    if account.value("api_key"):
        return ""
    return f"the account {account.name} sends nothing: it has no api_key"


def send(out: Outbound, account: Account, answer: Called | None) -> Call | Sent | Later | Failed:
    """The call that has Telnyx send a message, and what its answer means."""
    if answer is not None:
        return _outcome(answer)
    if why := mute(account):
        return Failed(why)
    if len(out.recipients) != 1 or any(
        one.kind is not AddressKind.PHONE for one in (out.own, *out.recipients)
    ):
        return Failed("only a chat of two numbers can be answered")
    if len(out.files) > LIMITS.files:
        return Failed(f"a message of Telnyx has at most {LIMITS.files} files")
    said: dict[str, Any] = {"from": out.own.value, "to": out.recipients[0].value}
    if out.text:
        said["text"] = out.text
    if out.files:
        said["media_urls"] = list(out.files)
    if out.hook:
        said["webhook_url"] = out.hook
    base = account.value("api_url").rstrip("/") or _API
    headers = {
        "Authorization": f"Bearer {account.value('api_key')}",
        "Content-Type": "application/json",
    }
    return Call("POST", f"{base}/v2/messages", headers, json.dumps(said).encode())


def _outcome(answer: Called) -> Sent | Later | Failed:
    decoded = decode_object(answer.body)
    told = decoded.value if decoded else {}
    if 200 <= answer.status < 300:
        sent = told.get("data")
        id_ = text_of(sent, "id").strip().lower() if isinstance(sent, dict) else ""
        return Sent(id_) if id_ else Later("Telnyx has answered without an id", doubtful=True)
    codes = [text_of(error, "code") for error in maps_of(told.get("errors"))]
    code = next(filter(None, codes), "")
    if answer.status == 429 or code in _BUSY:
        return Later("Telnyx is asked too much", code, answer.pause)
    if answer.status == 503:
        return Later("Telnyx is not there at the moment", code, answer.pause)
    if code in _REASONS:
        return Failed(_REASONS[code], code)
    if answer.status in (401, 403) or code in _OF_THE_ACCOUNT:
        return Later("Telnyx does not take the credentials of the account", code)
    if answer.status >= 500:
        return Later("Telnyx has failed, and may have sent it", code, doubtful=True)
    return Failed("Telnyx refuses it", code)

"""Messages go out by the REST API of Twilio: texts, MMS and WhatsApp.

Twilio does not know that two requests are meant as one. So a request of which nobody knows how it
ended is not made again: the messages of that number are looked through for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

from threadwell.calls.call import Call, Called
from threadwell.channels.account import Account
from threadwell.channels.sending import Failed, Found, Later, Limits, Outbound, Sent
from threadwell.channels.services import service_of_thread
from threadwell.channels.templates import WINDOW, template_for
from threadwell.channels.twilio.files import authorization
from threadwell.channels.twilio.identity import NAME, conversation_id, parse_message_id
from threadwell.channels.twilio.signature import FORM
from threadwell.fhir.json import BadJson, decode
from threadwell.messages import Address

_CONVERSATIONS = "https://conversations.twilio.com"
_WHATSAPP = "whatsapp"
_API = "https://api.twilio.com"
#: What one message may have: by phones' own services, and by others such as WhatsApp.
_OF_PHONES = Limits(characters=1600, files=10, together=5_000_000)
_OF_CONVERSATIONS = Limits(characters=1600)
_OF_OTHERS = Limits(characters=1600, files=1, together=16_000_000)
#: Messages of a number that are looked through: as many as a page of the API has.
_PAGE = 1000
#: How far Twilio's clock may be behind ours.
_SKEW = timedelta(minutes=1)
#: What goes wrong here and may go well in a while: too many requests, a queue that is full.
_BUSY = frozenset({"20429", "14107", "21611", "63017", "63018", "30001"})


def send(out: Outbound, account: Account, answer: Called | None) -> Call | Sent | Later | Failed:
    """The call that has Twilio send a message, and what its answer means."""
    if answer is not None:
        return _outcome(answer)
    if conversation := conversation_id(out.thread):
        return _into(conversation, out, account)
    if len(out.recipients) != 1:
        return Failed("Twilio sends to one recipient at a time")
    most = limits(out.thread)
    if len(out.files) > most.files:
        return Failed(f"a message of Twilio has at most {most.files} files")
    if len(out.text) > most.characters:
        return Failed(f"a message of Twilio has at most {most.characters} characters")
    form = [("To", _named(out.recipients[0], out.thread))]
    service = out.own.value.removeprefix(f"{NAME}:")
    if service != out.own.value:
        form.append(("MessagingServiceSid", service))
    else:
        form.append(("From", _named(out.own, out.thread)))
    by_app = service_of_thread(out.thread) == _WHATSAPP
    found = template_for(out.text, account) if by_app and not out.files else None
    if found is not None:
        template, filled = found
        form.append(("ContentSid", template.id))
        if filled:
            form.append(("ContentVariables", json.dumps(filled, ensure_ascii=False)))
    elif out.text:
        form.append(("Body", out.text))
    form += [("MediaUrl", url) for url in out.files]
    if out.hook:
        form.append(("StatusCallback", out.hook))
    headers = {"Authorization": authorization(account), "Content-Type": FORM}
    return Call("POST", _messages(account), headers, urlencode(form).encode())


def _into(conversation: str, out: Outbound, account: Account) -> Call | Failed:
    """The call that sends a message to all who take part in a conversation."""
    if out.files:
        return Failed("no file can be sent into a conversation")
    base = account.value("api_url").rstrip("/") or _CONVERSATIONS
    headers = {"Authorization": authorization(account), "Content-Type": FORM}
    url = f"{base}/v1/Conversations/{conversation}/Messages"
    return Call("POST", url, headers, urlencode([("Body", out.text)]).encode())


def limits(thread: str) -> Limits:
    """What one message in a thread may have."""
    if conversation_id(thread):
        return _OF_CONVERSATIONS
    return _OF_OTHERS if service_of_thread(thread) else _OF_PHONES


def window(thread: str) -> timedelta | None:
    """How long after somebody has written there they can be sent whatever is written."""
    return WINDOW if service_of_thread(thread) == _WHATSAPP else None


def ask(out: Outbound, account: Account, answer: Called | None) -> Call | Found | Later:
    """The call that lists what was sent to a number since then, and what is in its answer."""
    if conversation_id(out.thread):
        return Later("Twilio lists no messages of conversations by their words")
    if answer is None:
        since = out.since.astimezone(UTC) - _SKEW
        form = [
            ("To", _named(out.recipients[0], out.thread)),
            ("DateSent>", f"{since:%Y-%m-%d}"),
            ("PageSize", str(_PAGE)),
        ]
        headers = {"Authorization": authorization(account)}
        return Call("GET", f"{_messages(account)}?{urlencode(form)}", headers)
    if answer.status != 200:
        return Later("Twilio does not say what it has sent", _code(_json(answer)))
    found = sorted(_alike(out, _json(answer)))
    return Found(tuple(id_ for _, id_ in found))


def _alike(out: Outbound, listed: Mapping[str, Any]) -> Iterator[tuple[datetime, str]]:
    """When those of the messages were made that it may be, and their ids."""
    messages = listed.get("messages")
    for one in messages if isinstance(messages, list) else ():
        if not isinstance(one, dict):
            continue
        id_ = parse_message_id(str(one.get("sid", "")))
        made = _time(one.get("date_created"))
        outbound = str(one.get("direction", "")).startswith("outbound")
        said = str(one.get("body") or "").rstrip() == out.text.rstrip()
        files = str(one.get("num_media") or "0") == str(len(out.files))
        if id_ and outbound and said and files and made and made >= out.since - _SKEW:
            yield made, id_


def _outcome(answer: Called) -> Sent | Later | Failed:
    told = _json(answer)
    code = _code(told)
    if 200 <= answer.status < 300:
        sid = str(told.get("sid", ""))
        if id_ := parse_message_id(sid) or conversation_id(sid):
            return Sent(id_)
        return Later("Twilio has answered without an id", doubtful=True)
    if answer.status == 429 or code in _BUSY:
        return Later("Twilio is asked too much", code, answer.pause)
    if answer.status in (401, 403) and code not in _OF_THE_MESSAGE:
        return Later("Twilio does not take the credentials of the account", code)
    if answer.status == 503:
        return Later("Twilio is not there at the moment", code, answer.pause)
    if answer.status >= 500:
        return Later("Twilio has failed, and may have sent it", code, doubtful=True)
    return Failed(_REASONS.get(code, "Twilio refuses it"), code)


#: What Twilio says of the message, and not of who asks (https://www.twilio.com/docs/api/errors).
_OF_THE_MESSAGE = frozenset({"21408", "21610"})
_REASONS = {
    "21211": "the number that it goes to is none",
    "21408": "the account may not send to that country",
    "21606": "the account may not send from that number",
    "21610": "the recipient has said STOP to that number",
    "21612": "Twilio has no way from that number to the recipient",
    "21614": "the number that it goes to takes no text messages",
    "21617": "it is longer than Twilio takes",
    "63016": "WhatsApp takes only templates more than a day after the recipient wrote last",
}
#: Of what Twilio took and could not deliver.
_MEANINGS = {
    "30003": "the phone is off, or out of reach",
    "30004": "the recipient or their carrier blocks it",
    "30005": "there is no such number",
    "30006": "it is a landline, or its carrier takes no text messages",
    "30007": "a carrier took it for spam",
}


def meaning(code: str) -> str:
    """What a code of Twilio's means in plain words, ``""`` for one that is not known here."""
    return _MEANINGS.get(code) or _REASONS.get(code, "")


def _messages(account: Account) -> str:
    base = account.value("api_url").rstrip("/") or _API
    return f"{base}/2010-04-01/Accounts/{quote(account.value('account_sid'), '')}/Messages.json"


def _named(address: Address, thread: str) -> str:
    """The address as Twilio writes it, with the service by which it is reached."""
    service = service_of_thread(thread)
    bare = address.value.removeprefix("sms:")
    return f"{service}:{bare}" if service and not bare.startswith(f"{service}:") else bare


def _json(answer: Called) -> Mapping[str, Any]:
    try:
        told = decode(answer.body)
    except BadJson:
        return {}
    return told if isinstance(told, dict) else {}


def _code(told: Mapping[str, Any]) -> str:
    code = str(told.get("code") or "")
    return code if code.isascii() and code.isdigit() else ""


def _time(text: object) -> datetime | None:
    try:
        made = parsedate_to_datetime(str(text))
    except ValueError:
        return None
    return made if made.tzinfo else made.replace(tzinfo=UTC)

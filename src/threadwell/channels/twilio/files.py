"""Where the files of a message are, and how they are asked for."""

from __future__ import annotations

import base64
import mimetypes
from urllib.parse import quote, urlsplit

from threadwell.calls.call import Called
from threadwell.channels.account import Account
from threadwell.channels.asking import call_for
from threadwell.channels.live import Lost, Remote, Step, file_of
from threadwell.fhir.json import BadJson, decode
from threadwell.messages import media_type_of

#: The service that keeps the files of Conversations; they are named ``mcs:<service>/<file>``.
MCS = "mcs:"
_MCS_URL = "https://mcs.us1.twilio.com"
_DOMAINS = ("twilio.com",)


def fetch(remote: Remote, account: Account, answer: Called | None) -> Step:
    """The next step for a file: one call for a file of a message, two for one of Conversations."""
    if answer is None:
        return _first(remote.place, account)
    if remote.place.startswith(MCS) and "json" in answer.headers.get("content-type", ""):
        return _content(answer, account)
    return file_of(answer)


def name_of(url: str, content_type: str) -> str:
    """What to call a file that Twilio keeps under its own name."""
    last = urlsplit(url).path.rpartition("/")[2] or "file"
    return last + (mimetypes.guess_extension(media_type_of(content_type).partition(";")[0]) or "")


def authorization(account: Account) -> str:
    """The header by which Twilio knows the account (RFC 7617)."""
    pair = f"{account.value('account_sid')}:{account.value('auth_token')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _first(place: str, account: Account) -> Step:
    if place.startswith(MCS):
        service, _, file = place.removeprefix(MCS).partition("/")
        base = account.value("api_url").rstrip("/") or _MCS_URL
        place = f"{base}/v1/Services/{quote(service, '')}/Media/{quote(file, '')}"
    return _call(place, account)


def _content(answer: Called, account: Account) -> Step:
    if answer.status != 200:
        return file_of(answer)
    try:
        links = decode(answer.body).get("links") or {}
        url = links.get("content_direct_temporary") or links.get("content")
    except (BadJson, AttributeError):
        url = None
    if not isinstance(url, str):
        return Lost("could not be fetched from the provider", again=True)
    return _call(url, account)


def _call(url: str, account: Account) -> Step:
    return call_for(url, account, _DOMAINS, {"Authorization": authorization(account)})

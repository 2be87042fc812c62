"""The files of a message: Meta tells by their id where they are, for five minutes."""

from __future__ import annotations

from urllib.parse import quote

from threadwell.calls.call import Called
from threadwell.channels.account import Account
from threadwell.channels.asking import call_for
from threadwell.channels.live import Lost, Remote, Step, file_of
from threadwell.channels.objects import decode_object
from threadwell.channels.records import text_of
from threadwell.channels.whatsapp_cloud.values import word_of

_API = "https://graph.facebook.com/v23.0"
#: Where the API is, and where it keeps files.
_DOMAINS = ("facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net")
#: Meta's server of files refuses who does not say what they are.
_HEADERS = {"User-Agent": "Threadwell"}


def fetch(remote: Remote, account: Account, answer: Called | None) -> Step:
    """The next step for a file: where it is, then the file itself."""
    if answer is None:
        return _call(f"{base_of(account)}/{quote(remote.place, '')}", account)
    if answer.status != 200:
        return file_of(answer)
    url = _url(remote, answer)
    return _call(url, account) if url else file_of(answer)


def base_of(account: Account) -> str:
    """Where the Graph API is."""
    return account.value("api_url").rstrip("/") or _API


def headers_of(account: Account) -> dict[str, str]:
    """The headers of a call to it."""
    return {**_HEADERS, **_credentials(account)}


def _credentials(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.value('access_token')}"}


def _url(remote: Remote, answer: Called) -> str:
    """Where the file is, if that is what was answered: the file may be JSON as well."""
    if "json" not in answer.headers.get("content-type", ""):
        return ""
    decoded = decode_object(answer.body)
    if decoded is None or word_of(decoded.value, "id") != remote.place:
        return ""
    return text_of(decoded.value, "url") if "messaging_product" in decoded.value else ""


def _call(url: str, account: Account) -> Step:
    if not account.value("access_token"):
        return Lost("cannot be asked for: the account has no access token", again=True)
    return call_for(url, account, _DOMAINS, _credentials(account), _HEADERS)

"""A mail comes by webhook, is answered by SMTP, and the provider tells what became of that."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime, localtime
from pathlib import Path
from typing import Any

import httpx
import pytest

import threadwell
from mail_relay import Relay
from threadwell.encounters.delivery import delivery_of

from .test_sent_and_told import BASE, serving, through, until

CARE, ANA = "care@in.clinic.example.org", "ana@example.org"
USER, PASSWORD, KEY = "threadwell", "Abcdefghijklmnopqrstuvwx12", "key-of-nobody"
REFUSED = "550 5.1.1 The email account does not exist"


@dataclass(frozen=True)
class Provider:
    """What it delivers: a mail as it is, and what became of one that was sent."""

    values: dict[str, str]
    mail: Callable[[bytes], httpx.Request]
    told: Callable[[str, str], httpx.Request]


def calling(**body: Any) -> httpx.Request:
    """A request with the user and password that stand in the URL."""
    basic = httpx.BasicAuth(USER, PASSWORD)
    request = httpx.Request("POST", f"{BASE}/hooks/mail", **body)
    return next(basic.auth_flow(request))


def sendgrid(id_: str, state: str) -> httpx.Request:
    event = {"delivered": "delivered", "read": "open", "failed": "bounce"}[state]
    told = {"email": ANA, "timestamp": int(time.time()), "smtp-id": f"<{id_}>", "event": event}
    failed = {"type": "bounce", "status": "5.1.1", "reason": REFUSED} if state == "failed" else {}
    return calling(json=[{**told, **failed}])


def postmark(id_: str, state: str) -> httpx.Request:
    kind = {"delivered": "Delivery", "read": "Open", "failed": "Bounce"}[state]
    told = {"RecordType": kind, "Recipient": ANA, "Metadata": {"threadwell": id_}}
    return calling(json={**told, "Type": "HardBounce", "Details": f"smtp;{REFUSED}"})


def signature() -> dict[str, str]:
    at, token = str(int(time.time())), f"{time.monotonic_ns():050}"
    digest = hmac.digest(KEY.encode(), f"{at}{token}".encode(), "sha256").hex()
    return {"timestamp": at, "token": token, "signature": digest}


def mailgun(id_: str, state: str) -> httpx.Request:
    event = {"delivered": "delivered", "read": "opened", "failed": "failed"}[state]
    told: dict[str, Any] = {"event": event, "recipient": ANA, "timestamp": time.time()}
    told |= {"severity": "permanent", "message": {"headers": {"message-id": id_}}}
    told |= {"delivery-status": {"code": 550, "message": REFUSED}}
    body = {"signature": signature(), "event-data": told}
    return httpx.Request("POST", f"{BASE}/hooks/mail", json=body)


def form(**fields: bytes | str) -> dict[str, Any]:
    return {name: (None, value) for name, value in fields.items()}


NAMED = {"user": USER, "password": PASSWORD}
PROVIDERS = {
    "sendgrid": Provider(NAMED, lambda raw: calling(files=form(email=raw)), sendgrid),
    "postmark": Provider(NAMED, lambda raw: calling(json={"RawEmail": raw.decode()}), postmark),
    "mailgun": Provider(
        {"signing-key": KEY},
        lambda raw: httpx.Request(
            "POST", f"{BASE}/hooks/mail", files=form(**{**signature(), "body-mime": raw})
        ),
        mailgun,
    ),
}


@pytest.mark.parametrize("name", PROVIDERS)
def test_from_a_webhook_and_back_and_what_became_of_it(name: str, tmp_path: Path) -> None:
    provider, relay = PROVIDERS[name], Relay(tmp_path)
    store = str(tmp_path / "threadwell.db")
    with threadwell.open(store) as tw:
        sends = {"smtp-host": f"127.0.0.1:{relay.port}", "smtp-tls": "no"}
        values = {"provider": name, **provider.values, **sends, "reply-to": "reply@in.example.org"}
        tw.add_account("mail", "email", values, addresses=CARE, hosts=["127.0.0.1"])
        telecom = [{"system": "email", "value": ANA}]
        tw.create_resource({"resourceType": "Patient", "telecom": telecom})
        nora = tw.create_resource({"resourceType": "Practitioner"})["id"]
    head = f"From: {ANA}\r\nTo: {CARE}\r\nDate: {format_datetime(localtime())}\r\n"
    raw = f"{head}Subject: Tomorrow\r\nMessage-ID: <m1@example.org>\r\n\r\nWhen?\r\n".encode()
    try:
        with serving(store, tmp_path / "log") as proxy, threadwell.open(store) as tw:
            assert through(proxy, provider.mail(raw)).status_code == 204
            [session] = until(tw.sessions)
            for number, ends in enumerate((("delivered", "read"), ("failed",))):
                thread = f"Communication/{session.headers[0]}"
                reply = tw.reply(thread, "At three.", sender=f"Practitioner/{nora}")
                taken = until(lambda at=number: relay.taken[at:])[0].mail
                assert taken["In-Reply-To"] == "<m1@example.org>"
                assert taken["Reply-To"].startswith("reply+")
                id_ = taken["Message-ID"].strip("<>")

                def told(message: str = reply.message) -> Any:
                    return delivery_of(tw.read_resource(*message.split("/")))

                until(told)
                for state in ends:
                    assert through(proxy, provider.told(id_, state)).status_code == 204
                    until(lambda told=told, state=state: told().state == state)
            body = tw.read_resource(*reply.message.split("/"))
            assert told().error in ("5.1.1", "550")
            assert body["statusReason"]["text"].startswith("It was not delivered")
    finally:
        relay.close()

"""A text with a picture, what became of it, and a STOP: by webhook into the record."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import urlencode

from bench.faults.journeys.desk import OFFICE, URL, Desk, Found, Journey, counted
from bench.faults.journeys.stand_ins import Twilio
from bench.faults.watched import watched_calls
from threadwell.app import channel_labels, live_channels
from threadwell.calls import HttpCaller
from threadwell.channels.account import Account
from threadwell.intake import import_people
from threadwell.intake.accounts import keep_account
from threadwell.intake.arrivals.consents import may_write
from threadwell.intake.arrivals.files import Files
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, Store

_TOKEN = "a-token-of-the-account"
PICTURE = b"\xff\xd8\xff\xe0 of a knee"


def account(port: int) -> Account:
    """The account at the stand-in that listens there."""
    host = f"127.0.0.1:{port}"
    values = {"account_sid": "AC" + "0" * 32, "auth_token": _TOKEN, "api_url": f"http://{host}"}
    return Account("desk", "twilio", (OFFICE,), values, (host,))


def people(cases: int) -> list[dict[str, str]]:
    """A patient for each case, and one who replies."""
    rows = [{"kind": "practitioner", "id": "dana", "family": "Dana"}]
    return rows + [
        {"kind": "patient", "id": f"p{n}", "family": f"Kin{n}", "phone": patient(n).value}
        for n in range(cases)
    ]


def patient(case: int) -> Address:
    """The phone of the patient of a case."""
    return Address(AddressKind.PHONE, f"+1207{5_550_000 + case}")


async def deliver(desk: Desk, said: dict[str, str]) -> None:
    """Deliver until it is acknowledged, signed as the provider does."""
    url = f"{URL}/hooks/desk"
    signed = url + "".join(name + said[name] for name in sorted(said))
    digest = hmac.digest(_TOKEN.encode(), signed.encode(), "sha1")
    status, body = await desk.ask(
        "POST",
        "/hooks/desk",
        urlencode(said).encode(),
        content_type="application/x-www-form-urlencoded",
        x_twilio_signature=base64.b64encode(digest).decode(),
    )
    assert status == 200, body


class Texts(Journey):
    """Texts by webhook."""

    name = "texts in"

    def begin(self) -> None:
        self._twilio = Twilio(PICTURE)

    def end(self) -> None:
        self._twilio.close()

    async def set_up(self, store: Store) -> None:
        await import_people(store, DEFAULT_PROJECT, people(self.cases))
        await keep_account(store, DEFAULT_PROJECT, account(self._twilio.port))

    async def work(self, desk: Desk, case: int, told: set[str]) -> None:
        for what, said in self._deliveries(case).items():
            if what not in told:
                await deliver(desk, said)
                desk.steps.tell(what)
        await desk.take_in()
        caller = watched_calls(HttpCaller(), desk.steps, "call")
        labels = channel_labels()
        files = Files(
            *(desk.store, DEFAULT_PROJECT, live_channels(), labels, caller), clock=desk.clock
        )
        while (due := await files.round()) is not None:
            desk.ahead += int(due * 1000) + 1

    def _deliveries(self, case: int) -> dict[str, dict[str, str]]:
        ends = {"From": patient(case).value, "To": OFFICE.value}
        said = {"MessageSid": _sid(case), **ends}
        url = f"http://127.0.0.1:{self._twilio.port}/media/{case}"
        picture = {"NumMedia": "1", "MediaUrl0": url, "MediaContentType0": "image/jpeg"}
        text = {"SmsStatus": "received", "Body": f"My knee, day {case}", **picture}
        stop = {"MessageSid": f"SM{case:031x}f", "SmsStatus": "received", "Body": "STOP"}
        return {
            "state": {**said, "MessageStatus": "delivered"},
            "text": {**said, **text},
            "stop": {**ends, **stop, "NumMedia": "0"},
        }

    async def check(self, desk: Desk, case: int) -> Found:
        found = await desk.children("twilio", _sid(case))
        text = counted(found, state="delivered")
        stop = counted(await desk.children("twilio", f"SM{case:031x}f"))
        unheard = await may_write(desk.store, DEFAULT_PROJECT, OFFICE, patient(case))
        attached = [part["contentAttachment"] for part in found[0]["payload"][1:]] if found else []
        bare = sum("url" not in one for one in attached) + (len(attached) != 1)
        left = await desk.settled()
        return Found(
            text.lost + stop.lost + unheard + left,
            text.doubled + stop.doubled,
            text.stateless + bare,
        )


def _sid(case: int) -> str:
    return f"SM{case:032x}"

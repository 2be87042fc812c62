"""A clinic whose sessions clients open, close and open again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from threadwell.app import channel_labels
from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.validation import validate
from threadwell.intake import Settings, import_messages, parse_options, verify
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT

OFFICE = Address(AddressKind.PHONE, "+12125550100")


ANA = Address(AddressKind.PHONE, "+12125550121")


ANA_CHAT = Address(AddressKind.OTHER, "ana-cruz")


MOTHER = Address(AddressKind.PHONE, "+12125550122")


def at(time: str) -> int:
    """Milliseconds of a time of that day, or of ``19 10:00``: of another one of the month."""
    day, _, clock = time.rpartition(" ")
    moment = datetime.fromisoformat(f"2024-03-{day or '18'} {clock}").replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def said(id_: str, time: str, text: str = "hello", who: Address = ANA) -> Message:
    sent = datetime.fromtimestamp(at(time) / 1000, UTC)
    return Message(
        *("sms_backup", id_, who, (OFFICE,), sent, text, text, who.value), medium="SMSWRIT"
    )


class Clinic:
    """A practice, its patient Ana, and a mother of two; sessions by one of the policies."""

    def __init__(self, api: Any, policy: str, scope: str = "thread") -> None:
        self.api = api
        self.settings = Settings(
            policy=policy,
            scope=scope,
            owner=(OFFICE,),
            options=parse_options(gap="24h"),
            labels=channel_labels(),
        )
        self.choose()
        self.ana = self.patient("Ana", ANA, ANA_CHAT)
        self.leo, self.mia = self.patient("Leo"), self.patient("Mia")
        for child in (self.leo, self.mia):
            telecom = [{"system": "phone", "value": MOTHER.value}]
            api.make("RelatedPerson", patient={"reference": child}, telecom=telecom)

    def choose(self) -> None:
        choices = Choices(
            policy=self.settings.policy, scope=self.settings.scope, gap="24h", zone="UTC"
        )
        self.api.run(keep_choices(self.api.store, DEFAULT_PROJECT, choices))

    def patient(self, given: str, *addresses: Address) -> str:
        telecom = [{"system": str(one.kind), "value": one.value} for one in addresses]
        more = {"telecom": telecom} if telecom else {}
        return f"Patient/{self.api.make('Patient', name=[{'given': [given]}], **more)['id']}"

    def now(self, time: str) -> None:
        self.api.clock.now = at(time)

    def take(self, *messages: Message) -> None:
        self.api.run(
            import_messages(
                Seat(self.api.store, DEFAULT_PROJECT, self.settings, clock=self.api.clock), messages
            )
        )

    def post(self, path: str, *parameters: dict[str, Any], **headers: str) -> Any:
        body = {"resourceType": "Parameters", "parameter": list(parameters)}
        return self.api.call("POST", path, body if parameters else None, **headers)

    def open(self, *patients: str, thread: str = "") -> tuple[str, str, str]:
        given = [ref("patient", one) for one in patients]
        given += [ref("thread", thread)] if thread else []
        return told(self.post("Encounter/$open-session", *given))

    def close(self, session: str) -> tuple[str, str, str]:
        return told(self.post(f"{session}/$close"))

    def reopen(self, session: str) -> tuple[str, str, str]:
        return told(self.post(f"{session}/$reopen"))

    def found(self, query: str) -> list[str]:
        return [f"{query.partition('?')[0]}/{id_}" for id_ in self.api.ids(query)]

    def sessions(self) -> list[str]:
        return self.found("Encounter?status:not=entered-in-error&part-of:missing=true&_sort=date")

    def read(self, name: str) -> dict[str, Any]:
        answer = self.api.call("GET", name)
        assert answer.status_code == 200, answer.text
        return decode(answer.content)

    def history(self, session: str) -> list[tuple[str, str, str]]:
        body = self.read(session)
        assert validate(body) == []
        past = [
            (one["status"], *(one["period"][side][11:16] for side in ("start", "end")))
            for one in body.get("statusHistory", ())
        ]
        return [*past, (body["status"], "", "")]

    def texts(self, session: str) -> list[str]:
        """What is written in a session."""
        headers = self.found(f"Communication?encounter={session}&status:not=entered-in-error")
        lines = [
            one
            for header in headers
            for one in self.found(f"Communication?part-of={header}&_sort=sent")
        ]
        return [self.read(one)["payload"][0]["contentString"] for one in lines]

    def check(self) -> None:
        assert self.api.run(verify(self.api.store, DEFAULT_PROJECT)) == []


def ref(name: str, to: str) -> dict[str, Any]:
    return {"name": name, "valueReference": {"reference": to}}


def told(answer: Any) -> tuple[str, str, str]:
    """The session, its status and the act that an answer names."""
    assert answer.status_code == 200, answer.text
    body = decode(answer.content)
    assert validate(body) == []
    found = {one["name"]: one for one in body["parameter"]}
    act = found.get("act", {}).get("valueReference", {}).get("reference", "")
    return found["session"]["valueReference"]["reference"], found["status"]["valueCode"], act


def bill(clinic: Clinic, session: str) -> None:
    tag = [{"op": "add", "path": "/meta/tag", "value": [codes.BILLED]}]
    answer = clinic.api.call("PATCH", session, tag, content_type="application/json-patch+json")
    assert answer.status_code == 200, answer.text

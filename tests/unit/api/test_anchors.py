"""What Threadwell finds its record by stays, whichever way a client writes: made by the table."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.api.test_about import Family, ref, sms
from threadwell.api.context import open_context
from threadwell.app import channel_labels
from threadwell.encounters import codes
from threadwell.encounters.anchors import ANCHORS, Anchor, anchored
from threadwell.encounters.identity import Identity
from threadwell.encounters.receipts import receipt, receipt_identity
from threadwell.facade.errors import OperationOutcomeError
from threadwell.facade.request import send
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import verify
from threadwell.intake.links import as_key
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write

P = DEFAULT_PROJECT
PATCH = {"content_type": "application/json-patch+json"}
STRANGER = Address(AddressKind.PHONE, "+12125550139")
#: By what a row tells what has to hold: the test asks for something else than that.
OTHER = {"reference": "Encounter/11111111-2222-4333-8444-555555555555"}


class Practice(Family):
    """A record that has something of each row of the table."""

    def __init__(self, api: Any) -> None:
        super().__init__(api)
        mia = replace(sms("c", "08:20", "and Mia coughs"), source="old")
        self.take(mia, sms("d", "08:25", "Leo does, too"))
        self.say(self.first, ref("patient", self.leo))
        self.take(replace(sms("x", "09:00", "hello"), sender=STRANGER))
        done = api.call("POST", f"{self.session}/$reopen", {"resourceType": "Parameters"})
        assert done.status_code == 200, done.text
        mia = [{"op": "replace", "path": "/subject", "value": {"reference": self.mia}}]
        assert api.call("PATCH", self.second, mia, **PATCH).status_code == 200
        self.take(sms("y", "09:10", "hello?"))
        answers = [{"op": "add", "path": "/inResponseTo", "value": [{"reference": self.first}]}]
        assert api.call("PATCH", self.second, answers, **PATCH).status_code == 200
        api.run(self._put_beside())
        self.context = api.run(
            open_context(api.store, base_url=api.url, labels=channel_labels, project=P)
        )

    async def _put_beside(self) -> None:
        """A marker that an earlier build has left, and the Task of a message that is not read."""
        identity = Identity(codes.INTAKE, "intake")
        marker = {
            "resourceType": "Basic",
            "identifier": [identity.as_json()],
            "code": {"text": "m"},
        }
        message = {"id": as_key(self.second).id, "sent": "2024-03-08T08:10:00Z"}
        nurse = f"Practitioner/{self.api.never}"
        unread = receipt(nurse, message, as_key(self.header).id)
        for id_, one in (
            (identity.id, marker),
            (receipt_identity(nurse, message["id"]).id, unread),
        ):
            resource, body = stamp(one, id_, new_id(1), 1)
            version = resource["meta"]["versionId"]
            write = Write(one["resourceType"], id_, version, 1, resource, body)
            await self.api.store.commit(P, ChangeSet((write,)))

    def one(self, row: Anchor) -> dict[str, Any]:
        """A resource on which that row holds."""
        page = self.api.call("GET", f"{row.type}?_count=200").json()
        for entry in page["entry"]:
            body = entry["resource"]
            systems = [
                one["system"]
                for one in body.get("identifier", ())
                if "system" in one and one.get("use") != "secondary"
            ]
            mine = any(one.startswith(row.of) for one in systems) if row.of else True
            held = row.element in body and row.holds(body[row.element], None) is not None
            there = held or row.holds.__name__ == "_none"
            if mine and there and body.get("status") != "entered-in-error":
                return body
        raise AssertionError(f"nothing has {row}")

    def by(self, way: str, body: dict[str, Any], changed: dict[str, Any], row: Anchor) -> Any:
        """Write in that way: the status, and what is said of it."""
        name = f"{row.type}/{body['id']}"
        operation: dict[str, Any] = {"op": "remove", "path": f"/{row.element}"}
        if row.element in changed:
            operation |= {"op": "add", "value": changed[row.element]}
        what: Any
        what, method = ([operation], "PATCH") if "patch" in way else (changed, "PUT")
        if "Python" in way:
            try:
                self.api.run(send(self.context, method, name, what))
            except OperationOutcomeError as error:
                return error.status, str(error.outcome)
            return 200, ""
        if "conditional" in way:
            name = f"{row.type}?_id={body['id']}"
        elif "Bundle" in way:
            if method == "PATCH":
                data = base64.b64encode(json.dumps(what).encode()).decode()
                type_ = PATCH["content_type"]
                what = {"resourceType": "Binary", "contentType": type_, "data": data}
            answer = self.api.bundle("transaction", self.api.entry(method, name, what))
            return answer.status_code, answer.text
        headers = PATCH if method == "PATCH" else {}
        answer = self.api.call(method, name, what, **headers)
        return answer.status_code, answer.text


def _lasting(element: Any) -> Any:
    """What of an element no write changes by itself."""
    if not isinstance(element, dict):
        return element
    return {name: one for name, one in element.items() if name not in _OF_A_VERSION}


_OF_A_VERSION = ("versionId", "lastUpdated", "author")

WAYS = [
    f"{how}{where}"
    for how in ("put", "patch")
    for where in ("", " conditional", " in a Bundle", " in Python")
]


def test_what_the_record_rests_on_stays(store: Store, new_api: Any) -> None:
    """What an update leaves out is there again, and what a patch takes away is refused."""
    practice = Practice(new_api(store=store))
    wrong = []
    tried: set[Any] = set()
    for row in ANCHORS:
        body = practice.one(row)
        rests_on_none = row.holds.__name__ == "_none"
        changed = {name: one for name, one in body.items() if name.strip("_") != row.element}
        if rests_on_none:
            parent = {"reference": f"{row.type}/{practice.api.never}"}
            changed[row.element] = [parent] if row.type == "Communication" else parent
        # Each row by id, and the first one of each kind in all ways that there are.
        ways = ("put", "patch") if row.holds in tried else WAYS
        tried.add(row.holds)
        for way in ways:
            if row.removable and "patch" in way:
                continue
            status, said = practice.by(way, body, changed, row)
            now = practice.read(f"{row.type}/{body['id']}")
            stays = _lasting(now.get(row.element)) == _lasting(body.get(row.element))
            told = status == 200 if "put" in way and not rests_on_none else status == 422
            # What R4 demands is refused before.
            told |= status == 400 and (row.type, row.element) in (
                ("Encounter", "class"),
                ("Provenance", "target"),
            )
            named = status == 200 or f".{row.element}" in said
            if not (stays and told and named):
                wrong.append((row.type, row.of, row.element, way, status, said))
    assert wrong == []
    assert practice.api.run(verify(store, P)) == []
    before = practice.found("Communication?part-of:missing=true&status:not=entered-in-error")
    practice.take(sms("e", "08:30", "Leo is asleep"), sms("a", "08:00", "Leo has a fever"))
    query = "Communication?part-of:missing=true&status:not=entered-in-error"
    assert practice.found(query) == before


SAID = {
    "resourceType": "Communication",
    "identifier": [
        {"system": f"{codes.MESSAGE}email", "value": "1"},
        {"use": "secondary", "system": f"{codes.REFERENCE}email", "value": "0"},
    ],
    "partOf": [{"reference": "Communication/h"}],
    "sent": "2024-03-08T08:00:00Z",
}
OWN, NAMED = SAID["identifier"]
URN = {"system": "urn:d", "value": "7"}


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ({"identifier": [URN]}, {"identifier": [OWN, NAMED, URN]}),
        ({"identifier": [URN, OWN, NAMED]}, {"identifier": [URN, OWN, NAMED]}),
        ({"identifier": [NAMED, OWN]}, {"identifier": [OWN, NAMED]}),
        # Another id of ours before its own would make another message of it.
        (
            {"identifier": [{**OWN, "value": "2"}, OWN, NAMED]},
            {"identifier": [OWN, NAMED, {**OWN, "value": "2"}]},
        ),
        ({"identifier": [{**OWN, "use": "old"}, NAMED]}, {"identifier": [OWN, NAMED]}),
        (
            {"partOf": [{"reference": "https://here.example/fhir/R4/Communication/h"}]},
            {"partOf": SAID["partOf"]},
        ),
        (
            {"partOf": [{"reference": "Communication/h/_history/2", "display": "x"}]},
            {"partOf": SAID["partOf"]},
        ),
        ({"sent": "2024-03-08T09:00:00Z"}, {"sent": "2024-03-08T09:00:00Z"}),
    ],
)
def test_what_an_update_says_otherwise(written: dict[str, Any], stored: dict[str, Any]) -> None:
    assert anchored(SAID, SAID | written) == SAID | stored


@pytest.mark.parametrize(
    "written",
    [
        {"partOf": [{"reference": "Communication/other"}]},
        {"partOf": [*SAID["partOf"], {"reference": "Communication/other"}]},
    ],
)
def test_a_message_is_not_moved(written: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="stays in its thread"):
        anchored(SAID, SAID | written)


def test_what_is_not_ours_is_anybodys() -> None:
    other = {**SAID, "identifier": [URN]}
    assert anchored(other, {"resourceType": "Communication"}) == {"resourceType": "Communication"}

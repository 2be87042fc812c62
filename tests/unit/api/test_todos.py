"""``$claim``, ``$release``, ``$reroute``, ``$dismiss``, and what clients search and write
themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from tests.unit.api.test_hooks import ANA, Twilio
from tests.unit.api.test_hooks import text as delivered
from tests.unit.api.test_replies import Clinic, ref, said, text
from threadwell.app import live_channels
from threadwell.encounters.codes import SAVED
from threadwell.fhir.stamp import new_id, stamp
from threadwell.fhir.validation import validate
from threadwell.intake import recut, verify
from threadwell.intake.links import as_key
from threadwell.intake.seat import Seat
from threadwell.intake.todos.since import KIND
from threadwell.intake.tracking import Tracking
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write

POOL = "https://threadwell.dev/fhir/CodeSystem/pool|front-desk"
ABSENT = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "masked",
}
BILLING = {"coding": [{"system": "https://clinic.example.org/pools", "code": "billing"}]}


class Desk(Clinic):
    """A practice whose threads are looked after, with Dana and Nils."""

    def __init__(self, api: Any) -> None:
        super().__init__(api)
        self.settings = replace(self.settings, tracking=Tracking(0))
        self.run(self.store.put_private(KIND, DEFAULT_PROJECT, b"0"))
        self.nils = f"Practitioner/{api.make('Practitioner', name=[{'text': 'Nils Berg'}])['id']}"

    def waiting(self, query: str = "") -> list[str]:
        return [
            f"Task/{id_}"
            for id_ in self.api.ids(f"Task?performer={quote(POOL)}&owner:missing=true{query}")
        ]

    def act(self, task: str, name: str, *parameters: dict[str, Any], status: int = 200) -> Any:
        body = {"resourceType": "Parameters", "parameter": list(parameters)}
        answer = self.api.call("POST", f"{task}/${name}", body)
        assert answer.status_code == status, answer.text
        return answer.json() if status == 200 else self.api.texts(answer)[0]


def why(words: str) -> dict[str, Any]:
    return {"name": "reason", "valueString": words}


@pytest.fixture
def desk(store: Store, new_api: Any) -> Desk:
    return Desk(new_api(store=store, channels=live_channels))


def test_from_the_pool_to_the_reply(desk: Desk) -> None:
    desk.take(said("SM1", -9))
    page = desk.api.call(
        "GET",
        f"Task?performer={quote(POOL)}&owner:missing=true&status=requested&_include=Task:focus",
    ).json()
    [task, header] = [one["resource"] for one in page["entry"]]
    assert (header["resourceType"], f"Communication/{header['id']}") == (
        "Communication",
        task["focus"]["reference"],
    )
    assert not validate(task)
    name = f"Task/{task['id']}"
    claimed = desk.act(name, "claim", ref("owner", desk.dana))
    assert (claimed["status"], claimed["owner"]) == (
        "accepted",
        {"reference": desk.dana, "display": "Dana"},
    )
    assert desk.waiting() == []
    assert desk.dana in desk.act(name, "claim", ref("owner", desk.nils), status=409)
    answer = desk.reply(desk.header(), text("Three it is."), ref("sender", desk.dana))
    done = desk.read(name)
    assert (done["status"], done["businessStatus"]["coding"][0]["code"]) == (
        "completed",
        "answered",
    )
    assert done["output"][0]["valueReference"]["reference"] == f"Communication/{answer['id']}"
    assert done["owner"]["reference"] == desk.dana
    assert not validate(done)
    told = desk.api.call("GET", f"Provenance?target={name}").json()["entry"]
    assert [one["resource"]["activity"]["coding"][0]["code"] for one in told] == ["claim"]
    assert not validate(told[0]["resource"])


def test_a_task_goes_to_others_with_a_reason(desk: Desk) -> None:
    desk.take(said("SM1", -9))
    [name] = desk.waiting()
    desk.act(name, "claim", ref("owner", desk.dana))
    given = desk.act(name, "reroute", ref("owner", desk.nils), why("Speaks Danish"))
    assert (given["owner"]["display"], given["status"]) == ("Nils Berg", "requested")
    assert given["note"][0]["text"] == "Speaks Danish"
    pool = {"name": "pool", "valueCodeableConcept": BILLING}
    given = desk.act(name, "reroute", pool, why("A bill"))
    assert ("owner" in given, given["performerType"]) == (False, [BILLING])
    assert desk.api.ids("Task?performer=billing&owner:missing=true") == [given["id"]]
    desk.act(name, "claim", ref("owner", desk.dana))
    assert "owner" not in desk.act(name, "release", why("Lunch"))
    done = desk.act(name, "dismiss", why("Paid already"))
    assert (done["status"], done["statusReason"]["text"]) == ("completed", "Paid already")
    assert not validate(done)


def test_a_client_that_writes_the_task_itself(desk: Desk) -> None:
    desk.take(said("SM1", -9))
    [name] = desk.waiting()
    version = desk.read(name)["meta"]["versionId"]
    patch = [
        {"op": "add", "path": "/owner", "value": {"reference": desk.dana}},
        {"op": "replace", "path": "/status", "value": "accepted"},
    ]
    kind = {"content_type": "application/json-patch+json", "if_match": f'W/"{version}"'}
    first = desk.api.call("PATCH", name, patch, **kind)
    assert first.status_code == 200, first.text
    assert desk.api.call("PATCH", name, patch, **kind).status_code == 412
    assert desk.dana in desk.act(name, "claim", ref("owner", desk.nils), status=409)
    desk.take(said("SM2", -5))
    assert desk.read(name)["owner"]["reference"] == desk.dana


@pytest.mark.parametrize(
    ("name", "parameters", "status", "told"),
    [
        ("claim", [], 400, "owner"),
        ("claim", [ref("owner", "Patient/x")], 400, "must refer to"),
        ("claim", [ref("owner", "Practitioner/none")], 422, "there is no"),
        ("claim", [why("x")], 400, "Unknown parameter"),
        ("reroute", [why("x")], 422, "to whom"),
        ("reroute", [ref("owner", "Practitioner/none")], 422, "say why"),
        ("dismiss", [], 422, "say why"),
        ("reroute", [{"name": "pool", "valueCodeableConcept": {"text": "x"}}], 400, "coding"),
    ],
    ids=str,
)
def test_what_cannot_be_done_says_why(
    desk: Desk, name: str, parameters: list[Any], status: int, told: str
) -> None:
    desk.take(said("SM1", -9))
    [task] = desk.waiting()
    before = desk.read(task)
    assert told in desk.act(task, name, *parameters, status=status)
    assert desk.read(task) == before


def test_what_a_provider_delivers_waits_from_its_commit_to_the_reply(
    store: Store, new_api: Any
) -> None:
    api = new_api(store=store, channels=live_channels)
    point = {"system": "phone", "value": ANA}
    api.make(name=[{"given": ["Ana"]}], telecom=[point])
    dana = f"Practitioner/{api.make('Practitioner', name=[{'given': ['Dana']}])['id']}"
    api.run(store.put_private(KIND, DEFAULT_PROJECT, b"0"))
    twilio = Twilio(api)
    for _ in range(2):
        assert twilio.deliver(delivered(1, "Is Thursday all right?")).status_code == 200
        twilio.take()
    [task] = twilio.held()
    assert task["code"]["coding"][0]["code"] == "respond"
    versions = {one["meta"]["versionId"] for one in (*twilio.children(), task)}
    assert len(versions) == 1
    name = f"Task/{task['id']}"
    owner = {"resourceType": "Parameters", "parameter": [ref("owner", dana)]}
    assert api.call("POST", f"{name}/$claim", owner).status_code == 200
    api.clock.now += 60_000
    said_ = {"resourceType": "Parameters", "parameter": [text("It is."), ref("sender", dana)]}
    answer = api.call("POST", f"{task['focus']['reference']}/$reply", said_)
    assert answer.status_code == 200, answer.text
    assert api.call("GET", name).json()["status"] == "completed"


def test_a_saved_reply_is_sent_by_its_name(desk: Desk) -> None:
    desk.take(said("SM1", -9))
    made = desk.api.make(
        "ActivityDefinition",
        status="active",
        kind="CommunicationRequest",
        identifier=[{"system": SAVED, "value": "thursday"}],
        dynamicValue=[
            {
                "path": "payload.contentString",
                "expression": {
                    "language": "text/x-places",
                    "expression": "Yes, {{patient.given}}. {{sender.name}}",
                },
            }
        ],
    )
    named = {"name": "saved", "valueString": "thursday"}
    got = desk.reply(desk.header(), named, ref("sender", desk.dana))
    assert got["payload"] == [{"contentString": "Yes, Ana. Dana"}]
    got = desk.reply(desk.header(), named, text("See you."), ref("sender", desk.nils))
    assert got["payload"] == [{"contentString": "Yes, Ana. Nils Berg\n\nSee you."}]
    desk.api.call("PUT", f"ActivityDefinition/{made['id']}", made | {"status": "retired"})
    told = desk.reply(desk.header(), named, ref("sender", desk.dana), status=422)
    assert told == "there is no saved reply thursday"


def test_other_tasks_are_not_for_claiming(desk: Desk) -> None:
    other = desk.api.make("Task", status="requested", intent="order")
    told = desk.act(f"Task/{other['id']}", "claim", ref("owner", desk.dana), status=422)
    assert "waits for an answer" in told
    desk.act(f"Task/{desk.api.never}", "claim", ref("owner", desk.dana), status=404)


def test_the_operations_are_told_of(desk: Desk) -> None:
    body = desk.api.call("GET", "metadata").json()
    [task] = [one for one in body["rest"][0]["resource"] if one["type"] == "Task"]
    assert {"claim", "release", "reroute", "dismiss"} <= {one["name"] for one in task["operation"]}


NAMED = ["message", "header", "session", "task"]


def named(desk: Desk, of: str) -> str:
    header = desk.header()
    return {
        "message": f"Communication/{desk.api.ids('Communication?part-of:missing=false')[0]}",
        "header": header,
        "session": desk.read(header)["encounter"]["reference"],
        "task": desk.waiting()[0],
    }[of]


@pytest.mark.parametrize("of", NAMED)
def test_what_an_update_leaves_out_is_known_again(desk: Desk, of: str) -> None:
    """A client puts it without what it knows nothing of; the next message finds its place."""
    desk.take(said("SM1", -9))
    header = desk.header()
    before = desk.everything()
    left_out = ("identifier", "sent", "_sent")
    body = {key: one for key, one in desk.read(named(desk, of)).items() if key not in left_out}
    assert desk.api.call("PUT", named(desk, of), body).status_code == 200
    if of != "header":
        assert desk.everything() == before
    desk.take(said("SM2", -5), said("SM1", -9))
    assert desk.header() == header
    assert len(desk.api.ids("Task?code=respond")) == 1
    assert desk.run(verify(desk.store, DEFAULT_PROJECT)) == []


@pytest.mark.parametrize("of", NAMED)
def test_what_a_patch_takes_away_is_refused(desk: Desk, of: str) -> None:
    """It says why; nothing is written, and the next message finds its place."""
    desk.take(said("SM1", -9))
    header, name = desk.header(), named(desk, of)
    before = desk.everything()
    change = [{"op": "remove", "path": "/identifier"}]
    answer = desk.api.call("PATCH", name, change, content_type="application/json-patch+json")
    assert answer.status_code == 422
    [issue] = answer.json()["issue"]
    assert issue["code"] == "business-rule"
    assert issue["expression"] == [f"{name.partition('/')[0]}.identifier"]
    assert desk.everything() == before
    desk.take(said("SM2", -5))
    assert desk.header() == header
    assert desk.run(verify(desk.store, DEFAULT_PROJECT)) == []


@pytest.mark.parametrize("of", NAMED[1:])
def test_what_lost_its_identifiers_stops_no_message(desk: Desk, of: str) -> None:
    """It gets them back, as an earlier build let a patch take them away."""
    desk.take(said("SM1", -9))
    header, name = desk.header(), named(desk, of)
    before = desk.read(name)
    key = as_key(name)
    stored = desk.run(desk.store.read(DEFAULT_PROJECT, *key))
    body = {one: value for one, value in before.items() if one != "identifier"}
    beside = "length" if of == "session" else "note"
    body[beside] = {"value": 5, "unit": "min"} if of == "session" else [{"text": "Called back"}]
    resource, text_ = stamp(body, key.id, new_id(1), stored.updated)
    version = resource["meta"]["versionId"]
    write = Write(*key, version, stored.updated, resource, text_, stored)
    desk.run(desk.store.commit(DEFAULT_PROJECT, ChangeSet((write,))))
    desk.take(said("SM2", -5))
    after = desk.read(name)
    assert after["identifier"] == before["identifier"]
    assert beside in after or of == "task"
    assert desk.header() == header
    assert len(desk.api.ids("Communication?part-of:missing=false")) == 2
    assert desk.run(verify(desk.store, DEFAULT_PROJECT)) == []


def test_a_name_of_which_a_part_is_not_told(desk: Desk) -> None:
    desk.take(said("SM1", -9))
    given = {"given": [None, "Lou"], "_given": [{"extension": [ABSENT]}, None], "family": "Berg"}
    body = desk.read(desk.nils)
    assert desk.api.call("PUT", desk.nils, body | {"name": [given]}).status_code == 200
    [name] = desk.waiting()
    desk.act(name, "claim", ref("owner", desk.nils))
    assert desk.read(name)["owner"]["display"] == "Lou Berg"


def correct(desk: Desk, message: str, way: str, words: str = "Four.", status: int = 200) -> str:
    """By the operation, or in two steps as a client of Medplum's does it."""
    if way == "operation":
        body = {"resourceType": "Parameters", "parameter": [text(words), ref("sender", desk.dana)]}
        answer = desk.api.call("POST", f"{message}/$correct", body)
        assert answer.status_code == status, answer.text
        if status != 200:
            return str(desk.api.texts(answer)[0])
        [told] = [one for one in answer.json()["parameter"] if one["name"] == "message"]
        return str(told["valueReference"]["reference"])
    change = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
    patch = {"content_type": "application/json-patch+json"}
    assert desk.api.call("PATCH", message, change, **patch).status_code == 200
    answer = desk.create(desk.header(), inResponseTo=[{"reference": message}])
    assert answer.status_code == 201, answer.text
    return f"Communication/{answer.json()['id']}"


#: Who writes after what, how often the practice corrects its message then, and what waits.
CORRECTIONS = {
    "an answer": ("in out", 1, ""),
    "an answer, and something new": ("in out in", 1, "SM2"),
    "the same again and again": ("in out in", 3, "SM2"),
    "what answered nothing": ("out in", 1, "SM1"),
    "something new was answered, too": ("in out in answer", 1, ""),
}


@pytest.mark.parametrize("way", ["operation", "steps"])
@pytest.mark.parametrize(("order", "times", "waits"), CORRECTIONS.values(), ids=CORRECTIONS.keys())
def test_a_correction_answers_what_the_wrong_one_did(
    desk: Desk, way: str, order: str, times: int, waits: str
) -> None:
    came = iter(("SM1", "SM2"))
    wrong = ""
    if order.startswith("out"):
        # Before it stands a reaction, so that there is a thread to write in.
        desk.take(replace(said("SM0", -9), text="👍", new_text="👍"))
    for at, one in enumerate(order.split()):
        desk.api.clock.now += 60_000
        if one == "in":
            desk.take(said(next(came), at + 1))
            continue
        sent = desk.reply(desk.header(), text("Three."), ref("sender", desk.dana))
        wrong = wrong or f"Communication/{sent['id']}"
    right = wrong
    for _ in range(times):
        desk.api.clock.now += 60_000
        right = correct(desk, right, way)
    for _ in range(2):
        tasks = [one for one in desk.everything().values() if one["resourceType"] == "Task"]
        open_ = [
            desk.read(one["reasonReference"]["reference"]) for one in tasks if "output" not in one
        ]
        assert [one["identifier"][0]["value"] for one in open_] == ([waits] if waits else [])
        if order == "in out":
            assert tasks[0]["output"][0]["valueReference"]["reference"] == right
        # The same comes of it, read again out of the store.
        desk.run(recut(Seat(desk.store, DEFAULT_PROJECT, desk.settings, clock=desk.api.clock)))
    assert desk.run(verify(desk.store, DEFAULT_PROJECT)) == []


def test_what_counts_no_more_is_not_corrected(desk: Desk) -> None:
    desk.take(said("SM1", -5))
    sent = [
        f"Communication/{desk.reply(desk.header(), text(one), ref('sender', desk.dana))['id']}"
        for one in ("Three.", "At our door.")
    ]
    wrong, gone = sent
    assert desk.api.call("POST", f"{gone}/$retract").status_code == 200
    first = correct(desk, wrong, "operation")
    before = desk.everything(), desk.outbox()
    says = correct(desk, wrong, "operation", "Five.", 422)
    assert f"{wrong} was corrected already by {first}: correct that one" in says
    assert f"{gone} was taken back already" in correct(desk, gone, "operation", "Five.", 422)
    assert (desk.everything(), desk.outbox()) == before
    second = correct(desk, first, "operation", "Five.")
    assert f"already by {second}" in correct(desk, wrong, "operation", "Six.", 422)
    assert desk.api.call("POST", f"{second}/$retract").status_code == 200
    for one in (wrong, first, second):
        assert f"{one} was taken back already" in correct(desk, one, "operation", "Six.", 422)
    assert desk.outbox() == []

"""Who has read what: in the three ways that clients know, and as the pages count it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.api.test_replies import NOON, Clinic, ref, said, text
from tests.unit.api.test_taking_back import PATCH, messages, operate
from tests.unit.api.test_turning import by
from threadwell.access.memberships import (
    Grant,
    Membership,
    keep_membership,
    keep_policy,
    memberships,
)
from threadwell.access.roles import role
from threadwell.api.clients import add_client
from threadwell.app import live_channels
from threadwell.channels.live import State, Status
from threadwell.encounters import codes
from threadwell.fhir.validation import validate
from threadwell.intake import BadSetting, Intake, recut, verify
from threadwell.intake.arrivals.statuses import keep_statuses
from threadwell.intake.arrivals.telling import Telling
from threadwell.intake.receipts.counting import unread
from threadwell.intake.receipts.model import choose_receipts
from threadwell.intake.seat import Seat
from threadwell.stores.contract import DEFAULT_PROJECT, Store

WAYS = ["pages", "status", "extension", "task"]
UNREAD = "Task?code=https://medplum.com/task-codes|read-receipt&owner={}&status=requested"


class Ward(Clinic):
    """A clinic in which messages arrive live, and Dana takes part in Ana's thread."""

    def __init__(self, api: Any, way: str) -> None:
        super().__init__(api)
        self.way = way
        self.intake = Intake(self.store, DEFAULT_PROJECT, self._settings, clock=api.clock)
        self.run(choose_receipts(self.store, DEFAULT_PROJECT, way))
        self.take(said("SM0", -60))
        self.unread()
        operate(self, self.header(), "add-participant", ref("participant", self.dana))

    async def _settings(self) -> Any:
        return self.settings

    def arrive(self, *messages: Any) -> None:
        self.run(self.intake.take(messages))

    def unread(self, who: str = "") -> int:
        [number] = self.run(
            unread(
                self.store,
                DEFAULT_PROJECT,
                [[self.read(self.header())]],
                who or self.dana,
                self.api.clock,
            )
        )
        return int(number)

    def every(self) -> list[int]:
        """What Dana has not read of each thread there is, in the order of time."""
        query = "Communication?part-of:missing=true&status:not=entered-in-error&_sort=sent"
        threads = [[one["resource"]] for one in self.api.call("GET", query).json()["entry"]]
        numbers = unread(self.store, DEFAULT_PROJECT, threads, self.dana, self.api.clock)
        return list(self.run(numbers))

    def told(self) -> int:
        """As Medplum's guide counts what Dana has not read."""
        query = f"{UNREAD.format(self.dana)}&_total=accurate&_count=0"
        return int(self.api.call("GET", query).json()["total"])

    def close(self) -> None:
        self.run(self.intake.finish())


@pytest.fixture
def ward(store: Store, new_api: Any, request: Any) -> Ward:
    return Ward(new_api(store=store, channels=live_channels), request.param)


def each(*ways: str) -> Any:
    return pytest.mark.parametrize("ward", ways or WAYS, indirect=True)


@each("pages", "extension", "task")
def test_what_arrives_is_unread_until_it_is_read(ward: Ward) -> None:
    assert ward.unread() == 0
    ward.api.clock.now += 600_000
    ward.arrive(said("SM1", 1), said("SM2", 2), said("SM3", 3))
    assert ward.unread() == 3
    second = f"Communication/{messages(ward)[2]['id']}"
    told = operate(ward, ward.header(), "mark-read", ref("reader", ward.dana), ref("up-to", second))
    assert told == {"thread": ward.header(), "up-to": second}
    assert ward.unread() == 1
    ward.arrive(said("SM4", 4))
    assert ward.unread() == 2
    operate(ward, ward.header(), "mark-read", ref("reader", ward.dana))
    # What was read once stays so.
    operate(ward, ward.header(), "mark-read", ref("reader", ward.dana), ref("up-to", second))
    assert ward.unread() == 0
    ward.take(said("SM4", 4))
    assert ward.unread() == 0
    assert ward.run(verify(ward.store, DEFAULT_PROJECT)) == []


@each("task")
def test_tasks_tell_it_as_medplums_guide_counts(ward: Ward) -> None:
    ward.api.clock.now += 600_000
    ward.arrive(said("SM1", 1), said("SM2", 2))
    assert (ward.told(), ward.unread()) == (2, 2)
    page = ward.api.call("GET", f"{UNREAD.format(ward.dana)}&focus={ward.header()}").json()
    tasks = [one["resource"] for one in page["entry"]]
    assert [one["status"] for one in tasks] == ["requested", "requested"]
    assert all(validate(one) == [] for one in tasks)
    assert tasks[0]["for"]["reference"] == ward.ana
    # A client completes one of them.
    change = [{"op": "replace", "path": "/status", "value": "completed"}]
    name = f"Task/{tasks[0]['id']}"
    assert ward.api.call("PATCH", name, change, **PATCH).status_code == 200
    assert (ward.told(), ward.unread()) == (1, 1)
    # Delivered again, a message is no news.
    ward.arrive(said("SM1", 1), said("SM2", 2))
    assert (ward.told(), ward.unread()) == (1, 1)
    operate(ward, ward.header(), "mark-read", ref("reader", ward.dana))
    assert (ward.told(), ward.unread()) == (0, 0)


@each("task")
def test_what_was_taken_back_is_unread_to_nobody(ward: Ward) -> None:
    ward.api.clock.now += 600_000
    ward.arrive(said("SM1", 1), said("SM2", 2))
    operate(ward, f"Communication/{messages(ward)[-1]['id']}", "retract")
    assert (ward.told(), ward.unread()) == (1, 1)


@each("task")
def test_what_a_client_takes_back_is_unread_to_nobody(ward: Ward) -> None:
    ward.api.clock.now += 600_000
    ward.arrive(said("SM1", 1), said("SM2", 2))
    name = f"Communication/{messages(ward)[-1]['id']}"
    for status, number in (("entered-in-error", 1), ("completed", 2), ("entered-in-error", 1)):
        change = [{"op": "replace", "path": "/status", "value": status}]
        assert ward.api.call("PATCH", name, change, **PATCH).status_code == 200
        ward.api.clock.now += 1000
        ward.run(ward.intake.look())
        assert (ward.told(), ward.unread()) == (number, number)
    operate(ward, ward.header(), "mark-read", ref("reader", ward.dana))
    assert ward.told() == 0


@each("pages", "extension", "task", "status")
def test_what_was_read_stays_so_where_sessions_are_cut_otherwise(ward: Ward) -> None:
    """And what was not is unread; there and back again."""
    if ward.way == "status":
        operate(ward, ward.header(), "remove-participant", ref("participant", ward.dana))
    ward.settings = by("per-thread")
    ward.take()
    ward.run(recut(Seat(ward.store, DEFAULT_PROJECT, ward.settings, clock=ward.api.clock)))
    day = 24 * 60
    ward.api.clock.now += (2 * day + 60) * 60_000
    ward.close()
    ward.arrive(said("SM1", 1), said("SM2", 2), said("SM3", day), said("SM4", day + 1))
    ward.arrive(said("SM5", 2 * day))
    upto = ref("up-to", f"Communication/{messages(ward)[3]['id']}")
    operate(ward, ward.header(), "mark-read", ref("reader", ward.dana), upto)
    assert ward.every() == [2]
    for policy, numbers in (("per-day", [0, 1, 1]), ("per-thread", [2]), ("per-day", [0, 1, 1])):
        ward.settings = by(policy)
        ward.run(recut(Seat(ward.store, DEFAULT_PROJECT, ward.settings, clock=ward.api.clock)))
        assert ward.every() == numbers, policy
    assert ward.run(verify(ward.store, DEFAULT_PROJECT)) == []


@each("extension")
def test_the_header_tells_it_and_clients_may(ward: Ward) -> None:
    ward.api.clock.now += 600_000
    ward.arrive(said("SM1", 1), said("SM2", 2), said("SM3", 3))
    first, second, third = messages(ward)[1:]
    operate(
        *(ward, ward.header(), "mark-read", ref("reader", ward.dana)),
        ref("up-to", f"Communication/{second['id']}"),
    )
    header = ward.read(ward.header())
    [block] = [one for one in header["extension"] if one["url"] == codes.EXT_READ_STATE]
    parts = {one["url"]: one for one in block["extension"]}
    assert parts["participant"]["valueReference"] == {"reference": ward.dana}
    assert parts["lastRead"]["valueReference"]["reference"].endswith(second["id"])
    assert parts["lastReadAt"]["valueDateTime"] == "2024-03-10T12:10:00Z"
    assert validate(header) == []
    assert ward.unread() == 1
    for last, number in ((third, 0), (first, 2)):
        parts["lastRead"]["valueReference"] = {"reference": f"Communication/{last['id']}"}
        block["extension"] = list(parts.values())
        header["extension"] = [block]
        answer = ward.api.call("PUT", ward.header(), header)
        assert answer.status_code == 200, answer.text
        header = answer.json()
        assert ward.unread() == number
    # What others have said there outlives the next message.
    ward.arrive(said("SM4", 4))
    assert ward.unread() == 3
    assert ward.read(ward.header())["extension"] == [block]


@each("pages", "task")
def test_a_header_that_a_client_has_marked_counts_where_nothing_else_is_told(ward: Ward) -> None:
    """The guide's second way is understood whatever the practice has chosen."""
    ward.api.clock.now += 600_000
    kim = f"Practitioner/{ward.api.make('Practitioner')['id']}"
    ward.unread(kim)
    ward.arrive(said("SM1", 11), said("SM2", 12))
    assert ward.unread(kim) == 2
    last = f"Communication/{messages(ward)[-1]['id']}"
    block = {
        "url": codes.EXT_READ_STATE,
        "extension": [
            {"url": "participant", "valueReference": {"reference": kim}},
            {"url": "lastRead", "valueReference": {"reference": last}},
        ],
    }
    add = [{"op": "add", "path": "/extension", "value": [block]}]
    assert ward.api.call("PATCH", ward.header(), add, **PATCH).status_code == 200
    assert ward.unread(kim) == 0


@each("status")
def test_in_a_thread_of_two_the_status_tells_it(ward: Ward) -> None:
    operate(ward, ward.header(), "remove-participant", ref("participant", ward.dana))
    ward.api.clock.now += 600_000
    ward.arrive(said("SM1", 1), said("SM2", 2))
    query = f"Communication?part-of={ward.header()}&status=in-progress"
    assert (len(ward.api.ids(query)), ward.unread()) == (2, 2)
    first = messages(ward)[1]
    read = [
        {"op": "add", "path": "/received", "value": "2024-03-10T12:05:00Z"},
        {"op": "replace", "path": "/status", "value": "completed"},
    ]
    answer = ward.api.call("PATCH", f"Communication/{first['id']}", read, **PATCH)
    assert answer.status_code == 200, answer.text
    assert ward.unread() == 1
    operate(ward, ward.header(), "mark-read", ref("reader", ward.dana))
    assert (ward.api.ids(query), ward.unread()) == ([], 0)
    assert messages(ward)[-1]["received"] == "2024-03-10T12:10:00Z"
    ward.arrive(said("SM1", 1), said("SM2", 2))
    assert (ward.api.ids(query), ward.unread()) == ([], 0)


@each("extension", "task", "status")
def test_what_the_provider_tells_of_the_patient_is_noted(ward: Ward) -> None:
    ward.api.clock.now += 600_000
    got = ward.reply(ward.header(), text("At three."), ref("sender", ward.dana))
    waiting = UNREAD.format(ward.ana)
    is_task = ward.intake is not None and bool(ward.api.ids(waiting))
    sent = {**got, "identifier": [*got["identifier"]]}
    del sent["thread"]
    second = {"use": "secondary", "system": codes.MESSAGE + "twilio", "value": "SMout"}
    sent["identifier"].append(second)
    assert ward.api.call("PUT", f"Communication/{got['id']}", sent).status_code == 200
    at = NOON + timedelta(minutes=11)
    status = Status("twilio", "SMout", State.READ, at)
    ward.run(keep_statuses(ward.store, DEFAULT_PROJECT, [status]))
    ward.api.clock.now += 60_000
    ward.run(Telling(ward.store, DEFAULT_PROJECT, clock=ward.api.clock).round())
    now = ward.read(f"Communication/{got['id']}")
    assert now["status"] == "completed"
    assert ward.api.ids(waiting) == []
    blocks = ward.read(ward.header()).get("extension") or []
    told = [one["extension"][0]["valueReference"]["reference"] for one in blocks]
    assert is_task or not told or told == [ward.ana]


def test_only_ways_that_there_are(new_api: Any) -> None:
    api = new_api()
    with pytest.raises(BadSetting, match="none of pages, status, extension, task"):
        api.run(choose_receipts(api.store, DEFAULT_PROJECT, "email"))


@each("pages")
def test_what_cannot_be_noted_is_refused(ward: Ward) -> None:
    header = ward.header()
    assert "Say who" in operate(ward, header, "mark-read", status=400)
    other = f"Communication/{ward.api.make('Communication', status='completed')['id']}"
    refused = operate(
        ward, header, "mark-read", ref("reader", ward.dana), ref("up-to", other), status=422
    )
    assert "no message of the thread" in refused


@each("pages", "status", "extension", "task")
def test_who_sees_a_thread_says_that_they_have_read_it(ward: Ward) -> None:
    """Of themselves; that others have is for who may change the thread."""
    ward.api.clock.now += 600_000
    ward.arrive(said("SM1", 1), said("SM2", 2))
    limited = {"authorization": participant(ward.api, ward.dana)}
    assert ward.unread() == 2 or ward.way == "status"
    seen = ward.api.call("GET", ward.header(), **limited)
    mark = f"{ward.header()}/$mark-read"

    def say(who: str, *more: Any) -> Any:
        body = {"resourceType": "Parameters", "parameter": [ref("reader", who), *more]}
        return ward.api.call("POST", mark, body, **limited)

    assert (seen.status_code, say(ward.ana).status_code) == (200, 403)
    told = say(ward.dana)
    assert told.status_code == 200, told.text
    assert ward.unread() == 0
    # Whoever is taken out of it says no more of it.
    operate(ward, ward.header(), "remove-participant", ref("participant", ward.dana))
    assert say(ward.dana).status_code == 404
    assert ward.run(verify(ward.store, DEFAULT_PROJECT)) == []


def participant(api: Any, profile: str) -> str:
    """What a client comes with that acts for somebody, and sees what takes place with them."""
    client = api.run(add_client(api.store, "limited", admin=False))
    policy = api.run(keep_policy(api.store, DEFAULT_PROJECT, role("participant")))
    who = f"ClientApplication/{client.client_id}"
    member = Membership(who, profile, (Grant(policy["id"]),))
    api.run(keep_membership(api.store, DEFAULT_PROJECT, member))
    return str(api.credentials(client.client_id, client.client_secret))


@each("pages")
def test_nothing_that_is_hidden_of_a_thread_is_told_or_read(ward: Ward) -> None:
    ward.api.clock.now += 600_000
    ward.arrive(said("SM1", 1), said("SM2", 2))
    second, third = (f"Communication/{one['id']}" for one in messages(ward)[1:])
    limited = {"authorization": participant(ward.api, ward.dana)}
    hiding = {
        "resourceType": "AccessPolicy",
        "name": "first",
        "resource": [
            {"resourceType": "Communication", "criteria": f"Communication?_id={id_}"}
            for id_ in (one.partition("/")[2] for one in (ward.header(), second))
        ],
    }
    policy = ward.api.run(keep_policy(ward.store, DEFAULT_PROJECT, hiding))
    [member] = ward.api.run(memberships(ward.store, DEFAULT_PROJECT))
    member = Membership(member.who, ward.dana, (Grant(policy["id"]),))
    ward.api.run(keep_membership(ward.store, DEFAULT_PROJECT, member))
    mark = f"{ward.header()}/$mark-read"
    parameters = [ref("reader", ward.dana)]
    body = {"resourceType": "Parameters", "parameter": parameters}
    ward.api.clock.now += 10_000
    told = ward.api.call("POST", mark, body, **limited).json()
    assert told["parameter"][-1]["valueReference"]["reference"] == second
    assert ward.unread() == 1
    parameters.append(ref("up-to", third))
    assert ward.api.call("POST", mark, body, **limited).status_code == 400

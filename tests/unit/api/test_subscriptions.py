"""Subscriptions over each store: which are served, and what is told over a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from threadwell.access.memberships import Grant, Membership
from threadwell.api.clients import add_client
from threadwell.api.oauth.access import LOOK
from threadwell.api.oauth.clients import remove_client
from threadwell.api.oauth.granting import give, set_policy
from threadwell.api.subscriptions import app as subscribers
from threadwell.api.subscriptions import following
from threadwell.api.subscriptions.app import PATH
from threadwell.audit.finding import Wanted, find
from threadwell.audit.trail import Trail
from threadwell.fhir.stamp import new_id, stamp
from threadwell.stores.contract import DEFAULT_PROJECT as PROJECT
from threadwell.stores.contract import ChangeSet, StoreFull, Write

PATCH = "application/json-patch+json"


def subscription(
    status: str = "active", criteria: str = "Communication?status=completed", **channel: str
) -> dict[str, Any]:
    return {
        "resourceType": "Subscription",
        "status": status,
        "reason": "To hear of answers",
        "criteria": criteria,
        "channel": channel or {"type": "websocket"},
    }


HOOK = {"type": "rest-hook", "endpoint": "https://hook.example.org/"}
MAIL = {"type": "email", "endpoint": "mailto:office@example.org"}


@pytest.mark.parametrize(
    ("status", "channel", "stored"),
    [
        ("active", {"type": "websocket"}, "active"),
        ("requested", {"type": "websocket"}, "active"),
        ("active", MAIL, "off"),
        ("active", {"type": "rest-hook"}, "off"),
        ("requested", MAIL, "off"),
        ("off", {"type": "websocket"}, "off"),
        ("error", MAIL, "error"),
    ],
)
@pytest.mark.parametrize("how", ["create", "update", "patch", "batch", "transaction"])
def test_one_that_is_served_is_active(
    shared_api, how: str, status: str, channel: dict[str, str], stored: str
) -> None:
    body = subscription(status, **channel)
    if how == "create":
        shown = shared_api.call("POST", "Subscription", body).json()
    elif how in ("batch", "transaction"):
        answer = shared_api.bundle(how, shared_api.entry("POST", "Subscription", body))
        shown = answer.json()["entry"][0]["resource"]
    else:
        made = shared_api.call("POST", "Subscription", subscription("error", **channel)).json()
        path = f"Subscription/{made['id']}"
        change = [{"op": "replace", "path": "/status", "value": status}]
        shown = (
            shared_api.call("PUT", path, {**body, "id": made["id"]})
            if how == "update"
            else shared_api.call("PATCH", path, change, content_type=PATCH)
        ).json()
    assert shown["status"] == stored
    assert bool(shown.get("error")) == (stored == "off" and status != "off")
    assert shared_api.ids(f"Subscription?_id={shown['id']}&status=active,requested") == (
        [shown["id"]] if stored == "active" else []
    )
    assert shared_api.call("GET", f"Subscription/{shown['id']}").json() == shown


def test_one_that_is_sent_again_is_the_same(api) -> None:
    made = api.call("POST", "Subscription", subscription(**MAIL)).json()
    again = api.call("PUT", f"Subscription/{made['id']}", {**made, "status": "active"}).json()
    assert again == made


@pytest.mark.parametrize("end", ["2020-01-01T00:00:00Z", "2016-12-31T23:59:60Z"])
def test_one_whose_end_has_come_is_off(new_api, end: str) -> None:
    api = new_api()
    body = {**subscription(), "end": end}
    made = api.call("POST", "Subscription", body).json()
    assert (made["status"], made["error"]) == ("off", "Its end has come")


@pytest.mark.parametrize("header", ["X-A: \u4e2d", "no colon", "Host: a", "X A: b", "X-A: a\nb: c"])
def test_a_header_that_cannot_be_sent_is_refused(new_api, header: str) -> None:
    body = subscription(**HOOK)
    body["channel"]["header"] = [header]
    answer = new_api().call("POST", "Subscription", body)
    assert answer.status_code == 400
    assert "Subscription.channel.header" in answer.text


@pytest.mark.parametrize(
    ("body", "expression"),
    [
        ({**subscription(), "criteria": None}, None),
        (subscription("on"), None),
        (subscription(criteria="Nothing?a=b"), "Subscription.criteria"),
        (subscription(criteria="Communication?nonsense=1"), "Subscription.criteria"),
        (subscription(criteria="Communication?sent=yesterday"), "Subscription.criteria"),
        (subscription(type="rest-hook", endpoint="ftp://a"), "Subscription.channel.endpoint"),
        (subscription(**HOOK, payload="text/plain"), "Subscription.channel.payload"),
        *(
            (subscription(type="rest-hook", endpoint=url), "Subscription.channel.endpoint")
            for url in (
                *("http://[bad/x", "http://a..b/", "http://a:99999/", "http://a:b/", "http://"),
                *("http://host/\u00e4", f"http://{'a' * 300}.example.org/", "http://a b/"),
            )
        ),
    ],
)
def test_what_is_wrong_with_one_is_told(api, body: dict[str, Any], expression: str) -> None:
    answer = api.call("POST", "Subscription", body)
    assert answer.status_code == 400
    if expression:
        assert answer.json()["issue"][0]["expression"] == [expression]


class Line:
    """A client's end of a socket."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.frames: list[dict[str, Any]] = []
        self.code = 0
        self.takes = asyncio.Event()
        self.takes.set()
        self.said.put_nowait({"type": "websocket.connect"})

    async def run(self) -> None:
        await self.api.app(
            {"type": "websocket", "path": PATH, "headers": []}, self.said.get, self.send
        )

    async def send(self, message: dict[str, Any]) -> None:
        await self.takes.wait()
        if message["type"] == "websocket.send":
            self.frames.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.code = message["code"]

    def say(self, frame: Any) -> None:
        text = frame if isinstance(frame, str) else json.dumps(frame)
        self.said.put_nowait({"type": "websocket.receive", "text": text})

    def tell(self, kind: str, token: str) -> None:
        self.say({"type": kind, "payload": {"token": token}})

    async def bind(self, criteria: str) -> str:
        """Make a Subscription and bind it; its id."""
        made = (await self.api.send("POST", "Subscription", subscription(criteria=criteria))).json()
        self.tell("bind-with-token", await self.token(made["id"]))
        await self.until(lambda: made["id"] in self.bound())
        return str(made["id"])

    async def token(self, id_: str, **headers: str) -> str:
        path = f"Subscription/{id_}/$get-ws-binding-token"
        found = (await self.api.send("GET", path, **headers)).json()
        return str(found["parameter"][0]["valueString"])

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not holds():
                await asyncio.sleep(0.005)

    def statuses(self, kind: str) -> list[dict[str, Any]]:
        found = [one["entry"][0]["resource"] for one in self.frames if "entry" in one]
        return [one for one in found if one["type"] == kind]

    def bound(self) -> list[str]:
        return [one["subscription"]["reference"][13:] for one in self.statuses("handshake")]

    def events(self) -> list[dict[str, Any]]:
        """The frames that tell of an event."""
        return [
            one
            for one in self.frames
            if "entry" in one and one["entry"][0]["resource"]["type"] == "event-notification"
        ]

    def told(self) -> list[tuple[str, str]]:
        """Of each notification: the id of what changed, and its status."""
        return [
            (one["entry"][1]["resource"]["id"], one["entry"][1]["resource"]["status"])
            for one in self.events()
        ]

    def numbers(self) -> list[str]:
        """The number of each notification."""
        return [line_event(one)["eventNumber"] for one in self.events()]

    def outcomes(self) -> list[str]:
        return [
            one["issue"][0]["details"]["text"]
            for one in self.frames
            if one.get("resourceType") == "OperationOutcome"
        ]


@asynccontextmanager
async def open_line(api: Any, kind: type[Line] = Line) -> AsyncIterator[Line]:
    line = kind(api)
    task = asyncio.create_task(line.run())
    try:
        yield line
    finally:
        line.said.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await task


async def write(api: Any, status: str = "completed", **members: Any) -> str:
    body = {"resourceType": "Communication", "status": status, **members}
    answer = await api.send("POST", "Communication", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_what_its_criteria_find_is_told(api) -> None:
    async def scene() -> None:
        async with open_line(api) as line:
            id_ = await line.bind("Communication?status=completed")
            await write(api, "in-progress")
            one = await write(api)
            path = f"Communication/{one}"
            change = [{"op": "add", "path": "/note", "value": [{"text": "seen"}]}]
            await api.send("PATCH", path, change, content_type=PATCH)
            change = [{"op": "replace", "path": "/status", "value": "not-done"}]
            await api.send("PATCH", path, change, content_type=PATCH)
            two = await write(api)
            await api.send("DELETE", f"Communication/{two}")
            await line.until(lambda: len(line.told()) == 4)
            assert line.told() == [
                (one, "completed"),
                (one, "completed"),
                (two, "completed"),
                (two, "completed"),
            ]
            numbers = [int(one) for one in line.numbers()]
            assert numbers == sorted(set(numbers))
            frame = line.events()[-1]
            status = frame["entry"][0]["resource"]
            assert frame["type"] == "history"
            assert status["resourceType"] == "SubscriptionStatus"
            assert status["subscription"] == {"reference": f"Subscription/{id_}"}
            assert frame["entry"][1]["request"]["method"] == "DELETE"
            focus = status["notificationEvent"][0]["focus"]
            assert focus == {"reference": f"Communication/{two}"}
            assert frame["entry"][1]["fullUrl"] == f"{api.url}/fhir/R4/Communication/{two}"

    api.run(scene())


def test_what_is_told_is_recorded_and_what_cannot_be_is_not_told(
    new_api, store, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = Trail(store)
    api = new_api(store=store, trail=trail)

    def full(*_: object) -> None:
        raise StoreFull("no space left")

    async def scene() -> None:
        async with open_line(api) as line:
            id_ = await line.bind("Communication?status=completed")
            await write(api, "in-progress")
            one = await write(api)
            await line.until(lambda: len(line.told()) == 1)
            found = [at.record async for at in find(trail, PROJECT, Wanted(act="notify"))]
            (record,) = found
            assert (record.act, record.by.way) == ("notify socket", "socket")
            assert (record.by.client, record.asked) == (
                api.client.client_id,
                f"Subscription/{id_}",
            )
            assert [(t.type, t.id, t.how) for t in record.touched] == [("Communication", one, "R")]
            monkeypatch.setattr(trail, "events", full)
            await write(api)
            await line.until(lambda: line.code != 0)
            assert len(line.told()) == 1

    api.run(scene())


def line_event(frame: dict[str, Any]) -> Any:
    return frame.get("entry", [{}])[0].get("resource", {}).get("notificationEvent", [None])[0]


def test_criteria_that_look_around(api) -> None:
    async def scene() -> None:
        mia = api_id(await api.send("POST", "Patient", patient("Mia")))
        leo = api_id(await api.send("POST", "Patient", patient("Leo")))
        async with open_line(api) as line:
            await line.bind("Communication?subject:Patient.name=mia")
            await line.bind("Communication?_has:Task:focus:status=requested&status=completed")
            await write(api, subject={"reference": f"Patient/{leo}"})
            one = await write(api, subject={"reference": f"Patient/{mia}"})
            await line.until(lambda: len(line.told()) == 1)
            assert line.told() == [(one, "completed")]

    api.run(scene())


def patient(given: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "name": [{"given": [given]}]}


def api_id(answer: Any) -> str:
    return str(answer.json()["id"])


def test_two_sockets_hear_the_same_and_one_that_unbinds_no_more(api) -> None:
    async def scene() -> None:
        async with open_line(api) as a, open_line(api) as b:
            first = await a.bind("Communication?status=completed")
            second = await b.bind("Communication?status=completed")
            one = await write(api)
            await a.until(lambda: bool(a.told() and b.told()))
            a.tell("unbind-from-token", await a.token(first))
            path = f"Subscription/{first}"
            async with asyncio.timeout(60):
                while (await api.send("GET", path)).status_code != 410:
                    await asyncio.sleep(0.01)
            two = await write(api)
            await b.until(lambda: len(b.told()) == 2)
            assert [id_ for id_, _ in b.told()] == [one, two]
            assert [id_ for id_, _ in a.told()] == [one]
            # Whoever turns it off, or deletes it, is told no more.
            change = [{"op": "replace", "path": "/status", "value": "off"}]
            await api.send("PATCH", f"Subscription/{second}", change, content_type=PATCH)
            await write(api)
            await b.bind("Communication?status=not-done")
            last = await write(api, "not-done")
            await b.until(lambda: len(b.told()) == 3)
            assert b.told()[2] == (last, "not-done")

    api.run(scene())


def test_a_ping_is_answered_and_nonsense_is_told(api) -> None:
    async def scene() -> None:
        async with open_line(api) as line:
            line.say({"type": "ping"})
            line.say("no json")
            line.say([1])
            line.say({"type": "sing"})
            line.tell("bind-with-token", "a.b.c")
            line.say({"type": "bind-with-token"})
            access = api.credentials(api.client.client_id, api.client.client_secret)
            line.tell("bind-with-token", access)
            await line.until(lambda: len(line.frames) == 7)
            assert line.frames[0] == {"type": "pong"}
            assert line.outcomes() == [
                "A frame is a JSON object",
                "A frame is a JSON object",
                "A frame is of type bind-with-token, unbind-from-token or ping",
                *["The token binds nothing, or no longer"] * 3,
            ]

    api.run(scene())


def test_tokens_bind_while_they_are_good_and_their_client_is(api) -> None:
    async def scene() -> None:
        async with open_line(api) as line:
            id_ = await line.bind("Communication?status=completed")
            late = await line.token(id_)
            api.clock.now += 3_600_000
            line.tell("bind-with-token", late)
            await line.until(lambda: bool(line.outcomes()))
            answer = await api.send("GET", f"Subscription/{id_}/$get-ws-binding-token")
            names = {one["name"]: one for one in answer.json()["parameter"]}
            assert names["websocket-url"]["valueUrl"] == f"ws://testserver{PATH}"
            assert names["subscription"]["valueString"] == id_
            assert names["expiration"]["valueDateTime"].startswith("2024-03-10T14:00")
            # A token of ours that is none of these opens no request.
            token = names["token"]["valueString"]
            asked = await api.send("GET", "Patient", authorization=f"Bearer {token}")
            assert asked.status_code == 401

    api.run(scene())


@pytest.mark.parametrize("body", [subscription("off"), subscription(**MAIL)])
def test_only_one_that_is_served_by_a_socket_has_a_token(api, body: dict[str, Any]) -> None:
    made = api.call("POST", "Subscription", body).json()
    path = f"Subscription/{made['id']}/$get-ws-binding-token"
    assert api.call("GET", path).status_code == 422
    assert api.call("GET", f"Subscription/{api.never}/$get-ws-binding-token").status_code == 404
    assert api.call("GET", path, authorization=None).status_code == 401


def test_who_takes_nothing_is_let_go_and_holds_nobody_up(new_api, monkeypatch: Any) -> None:
    monkeypatch.setattr(following, "_WAITING", 3)
    api = new_api()

    async def scene() -> None:
        async with open_line(api) as slow, open_line(api) as quick:
            await slow.bind("Communication?status=completed")
            await quick.bind("Communication?status=completed")
            slow.takes.clear()
            for _ in range(8):
                await write(api)
                told = len(quick.told())
                await quick.until(lambda told=told: len(quick.told()) > told)
            slow.takes.set()
            await slow.until(lambda: slow.code == 1013)
            assert len(quick.told()) == 8

    api.run(scene())


def test_too_many_are_refused(new_api, monkeypatch: Any) -> None:
    monkeypatch.setattr(following, "MOST", 1)
    monkeypatch.setattr(following, "MOST_OF_ONE", 1)
    api = new_api()

    async def scene() -> None:
        async with open_line(api) as one:
            await one.bind("Communication")
            async with open_line(api) as two:
                await two.until(lambda: two.code == 1013)
                assert two.outcomes() == ["Too many sockets are open"]
            made = await api.send("POST", "Subscription", subscription(criteria="Patient"))
            one.tell("bind-with-token", await one.token(made.json()["id"]))
            await one.until(lambda: bool(one.outcomes()))
            assert one.outcomes() == ["Too many Subscriptions are bound to one socket"]

    api.run(scene())


def test_a_beat_comes_and_the_end_of_a_client_is_the_end(new_api, monkeypatch: Any) -> None:
    monkeypatch.setattr("threadwell.api.subscriptions.pulse.BEAT", 0.05)
    api = new_api()

    async def scene() -> None:
        async with open_line(api) as line:
            id_ = await line.bind("Communication?status=completed")
            await line.until(lambda: bool(line.statuses("heartbeat")))
            beat = line.statuses("heartbeat")[0]
            assert beat["subscription"] == {"reference": f"Subscription/{id_}"}
            await remove_client(api.store, api.client.client_id)
            api.clock.now += LOOK
            beats = len(line.statuses("heartbeat"))
            await asyncio.sleep(0.3)
            assert len(line.statuses("heartbeat")) <= beats + 1

    api.run(scene())


def test_other_requests_to_the_path_find_nothing(new_api) -> None:
    assert new_api().call("GET", subscribers.PATH).status_code == 404


def limit(api: Any, *entries: dict[str, Any]) -> None:
    """Let the client do what these entries of a policy say, as a practitioner."""
    policy = {"resourceType": "AccessPolicy", "id": "p", "name": "p", "resource": list(entries)}
    api.run(set_policy(api.store, PROJECT, policy))
    who = f"ClientApplication/{api.client.client_id}"
    api.run(give(api.store, PROJECT, Membership(who, "Practitioner/bell", (Grant("p"),))))
    api.clock.now += 1000


OWN = {"resourceType": "Subscription"}
MINE = {"resourceType": "Communication", "criteria": "Communication?recipient=%profile"}


def to(who: str) -> dict[str, Any]:
    return {"recipient": [{"reference": f"Practitioner/{who}"}]}


def test_who_has_a_policy_is_told_what_they_see(api) -> None:
    limit(api, OWN, {**MINE, "hiddenFields": ["note"]})

    async def scene() -> None:
        async with open_line(api) as line:
            await line.bind("Communication?status=completed")
            await written_by_others(api, to("dunn"))
            one = await written_by_others(api, {**to("bell"), "note": [{"text": "hidden"}]})
            await line.until(lambda: len(line.told()) == 1)
            assert line.told() == [(one, "completed")]
            assert "hidden" not in json.dumps(line.frames)
            # A type that no entry names is not heard of, and no criteria look at what is hidden.
            made = await api.send("POST", "Subscription", subscription(criteria="Patient?name=a"))
            line.tell("bind-with-token", await line.token(made.json()["id"]))
            await line.until(lambda: len(line.outcomes()) == 1)
            await line.bind("Communication?subject:Patient.name=ada")
            await written_by_others(api, {**to("bell"), "subject": {"reference": "Patient/ada"}})
            await line.until(lambda: len(line.told()) == 2)
            assert len(line.told()) == 2

    api.run(scene())


def test_each_of_two_who_bind_one_sees_by_their_own_view(api) -> None:
    """Whoever binds first does not lend their eyes to the other."""
    criteria = "Communication?status=completed"
    everything = api.basic
    other = api.run(add_client(api.store, "limited", admin=False))
    entries = [OWN, {**MINE, "hiddenFields": ["note"]}]
    policy = {"resourceType": "AccessPolicy", "id": "p", "name": "p", "resource": entries}
    api.run(set_policy(api.store, PROJECT, policy))
    who = f"ClientApplication/{other.client_id}"
    api.run(give(api.store, PROJECT, Membership(who, "Practitioner/bell", (Grant("p"),))))
    limited = api.credentials(other.client_id, other.client_secret)

    async def scene(first: str, second: str) -> None:
        async with open_line(api) as a, open_line(api) as b:
            made = await api.send("POST", "Subscription", subscription(criteria=criteria))
            id_ = made.json()["id"]
            for line, caller in ((a, first), (b, second)):
                line.tell("bind-with-token", await line.token(id_, authorization=caller))
                await line.until(lambda line=line: len(line.frames) == 1)
            hers, mine = (a, b) if first == limited else (b, a)
            await written_by_others(api, {**to("dunn"), "note": [{"text": "of another"}]})
            last = await written_by_others(api, {**to("bell"), "note": [{"text": "a note"}]})
            await mine.until(lambda: len(mine.told()) == 2)
            await hers.until(lambda: len(hers.told()) == 1)
            assert hers.told() == [(last, "completed")]
            assert "note" not in json.dumps(hers.frames)
            assert json.dumps(mine.frames).count("note") >= 2

    api.run(scene(limited, everything))
    api.run(scene(everything, limited))


async def written_by_others(api: Any, members: dict[str, Any]) -> str:
    """A message that somebody without a policy writes."""
    resource = {"resourceType": "Communication", "status": "completed", **members}
    id_ = version = new_id(api.clock())
    stamped, body = stamp(resource, id_, version, api.clock())
    write = Write("Communication", id_, version, api.clock(), stamped, body)
    await api.store.commit(PROJECT, ChangeSet((write,)))
    return id_


def test_a_policy_that_is_given_later_holds_within_a_beat(new_api, monkeypatch: Any) -> None:
    monkeypatch.setattr("threadwell.api.subscriptions.pulse.BEAT", 0.05)
    api = new_api()

    async def scene() -> None:
        async with open_line(api) as line:
            await line.bind("Communication?status=completed")
            await written_by_others(api, to("dunn"))
            await line.until(lambda: len(line.told()) == 1)
            policy = {
                "resourceType": "AccessPolicy",
                "id": "p",
                "name": "p",
                "resource": [OWN, MINE],
            }
            await set_policy(api.store, PROJECT, policy)
            who = f"ClientApplication/{api.client.client_id}"
            await give(api.store, PROJECT, Membership(who, "Practitioner/bell", (Grant("p"),)))
            api.clock.now += LOOK
            await line.until(lambda: len(line.bound()) == 2)
            await written_by_others(api, to("dunn"))
            two = await written_by_others(api, to("bell"))
            await line.until(lambda: len(line.told()) == 2)
            assert line.told()[1][0] == two

    api.run(scene())


def test_who_has_a_policy_has_no_rest_hook(api) -> None:
    limit(api, OWN)
    made = api.call("POST", "Subscription", subscription(**HOOK)).json()
    assert (made["status"], made["error"]) == (
        "off",
        "Rest-hooks are for clients without an access policy",
    )


@pytest.mark.parametrize("more", ["", "&subject:Patient.name=ada"])
def test_who_asks_by_a_parameter_that_goes_is_let_go_alone(api, more: str) -> None:
    """And may come back; whoever asks for something else hears on."""
    urgency = {
        "resourceType": "SearchParameter",
        "url": "https://practice.example/SearchParameter/urgency",
        "name": "Urgency",
        "description": "How soon an answer is due",
        "status": "active",
        "code": "urgency",
        "base": ["Communication"],
        "type": "token",
        "expression": "Communication.extension('https://practice.example/urgency').value",
    }
    made = api.call("POST", "SearchParameter", urgency).json()

    async def scene() -> None:
        while (await api.store.index(PROJECT)).pending:
            pass
        await api.store.home(PROJECT, anew=True)
        async with open_line(api) as asks, open_line(api) as other:
            criteria = "Communication?urgency:not=low"
            await asks.bind(criteria + more)
            await other.bind("Communication?status=completed")
            one = await written_by_others(api, to("bell"))
            await other.until(lambda: len(other.told()) == 1)
            before = len(asks.told())
            answer = await api.send("DELETE", f"SearchParameter/{made['id']}")
            assert answer.status_code == 200
            two = await written_by_others(api, to("bell"))
            await other.until(lambda: len(other.told()) == 2)
            await asks.until(lambda: asks.code == 1013)
            three = await written_by_others(api, to("bell"))
            await other.until(lambda: len(other.told()) == 3)
            assert [at for at, _ in other.told()] == [one, two, three]
            assert len(asks.told()) == before
            assert other.code == 0
            # What asks by it is refused where it is bound again.
            frames = len(other.outcomes())
            body = subscription(criteria=criteria)
            refused = await api.send("POST", "Subscription", body)
            assert (refused.status_code, len(other.outcomes())) == (400, frames)

    api.run(scene())

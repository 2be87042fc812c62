"""``$import``: asked for over HTTP, done by its duty, out of files of a server on this machine."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep
from typing import Any

import pytest

from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.api.clients import add_client
from threadwell.app import sight_of
from threadwell.audit.audited import PENDING
from threadwell.audit.trail import Trail
from threadwell.bulk import imports as done
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.subscriptions.hook_states import allow_host


class Files:
    """A server that has files. ``broken`` are the answers to a path that break off in the middle,
    ``moved`` where a path has gone.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.broken: dict[str, int] = {}
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.host = f"127.0.0.1:{self.server.server_port}"

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        self.asked.append(to.path)
        body = self.files.get(to.path)
        moved = self.moved.get(to.path)
        to.send_response(302 if moved else 404 if body is None else 200)
        if moved:
            to.send_header("location", moved)
        body = body or b""
        to.send_header("content-length", str(len(body)))
        to.end_headers()
        if self.broken.get(to.path, 0) > 0:
            self.broken[to.path] -= 1
            body = body[: len(body) // 2]
        to.wfile.write(body)

    def put(self, path: str, *resources: Any, packed: bool = False) -> str:
        """The URL of a file of resources; a text is a line as it is."""
        lines = [one if isinstance(one, str) else json.dumps(one) for one in resources]
        text = "".join(f"{line}\n" for line in lines).encode()
        self.files[path] = gzip.compress(text) if packed else text
        return f"http://{self.host}{path}"

    def clear(self) -> None:
        for one in (self.files, self.broken, self.moved, self.asked):
            one.clear()


@pytest.fixture(scope="module")
def server() -> Iterator[Files]:
    files = Files()
    yield files
    files.server.shutdown()
    files.server.server_close()


class Importing:
    """A server, and the duty that does its imports."""

    def __init__(self, api: Any, files: Files) -> None:
        self.api = api
        self.files = files
        api.run(allow_host(api.store, DEFAULT_PROJECT, files.host))
        self.again()

    def again(self) -> None:
        """Another process takes the duty over: it knows nothing but what is in the store."""
        store = Trail(self.api.store).store
        self.duty = done.Imports(
            store,
            DEFAULT_PROJECT,
            sight_of(store),
            clock=self.api.clock,
            seconds=0.0,
        )

    def begin(self, *inputs: tuple[str, str], **headers: str) -> str:
        answer = self.api.call("POST", "$import", asked(*inputs), **headers)
        assert answer.status_code == 202, answer.text
        return str(answer.headers["content-location"])

    def step(self) -> None:
        wait = self.api.run(self.duty.round())
        if wait == done._LOOK:
            sleep(0.002)
        elif wait and wait < 100:
            self.api.clock.now += int(1000 * wait)

    def done(
        self, url: str, between: Callable[[], None] = lambda: None, **headers: str
    ) -> dict[str, Any]:
        """The result of an import that is done to its end."""
        for _ in range(3000):
            answer = self.api.call("GET", url, **headers)
            if answer.status_code != 202:
                assert answer.status_code == 200, answer.text
                return dict(answer.json())
            assert "files" in answer.headers["x-progress"]
            assert int(answer.headers["retry-after"]) > 0
            between()
            self.step()
        raise AssertionError("it does not end")

    def all(self, *inputs: tuple[str, str], **headers: str) -> tuple[Any, list[str]]:
        """What became of each file, and what is told of lines."""
        result = self.done(self.begin(*inputs, **headers), **headers)
        assert not [one for one in result["output"] if "incomplete" in one["extension"]], (
            json.dumps(result)
        )
        return [counted(one) for one in result["output"]], self.errors(result, **headers)

    def errors(self, result: dict[str, Any], **headers: str) -> list[str]:
        found = []
        for one in result["error"]:
            answer = self.api.call("GET", one["url"], **headers)
            assert answer.status_code == 200
            lines = [json.loads(line) for line in answer.text.splitlines()]
            assert len(lines) == one["count"]
            found += [line["issue"][0]["details"]["text"] for line in lines]
        return found

    def there(self, type_: str = "Patient") -> list[str]:
        return sorted(self.api.ids(f"{type_}?_count=1000"))


def counted(one: dict[str, Any]) -> tuple[int, ...]:
    told = one["extension"]
    return tuple(told[name] for name in ("lines", "new", "changed", "same", "errors"))


def asked(*inputs: tuple[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "inputFormat", "valueCode": "application/fhir+ndjson"},
            {"name": "inputSource", "valueUri": "https://elsewhere.example.org/fhir"},
            {"name": "storageDetail", "part": [{"name": "type", "valueCode": "https"}]},
            *[
                {
                    "name": "input",
                    "part": [
                        {"name": "type", "valueCode": type_},
                        {"name": "url", "valueUri": url},
                    ],
                }
                for type_, url in inputs
            ],
        ],
    }


def pat(id_: str, family: str = "Ames") -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id_, "name": [{"family": family}]}


def message(id_: str, patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Communication",
        "id": id_,
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
    }


@pytest.fixture
def importing(api: Any, server: Files) -> Importing:
    server.clear()
    return Importing(api, server)


@pytest.fixture
def alone(new_api: Any, server: Files) -> Importing:
    """One in memory."""
    server.clear()
    return Importing(new_api(), server)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(done, "PART", 3)


@pytest.mark.usefixtures("small")
def test_files_are_loaded(importing: Importing) -> None:
    api, files = importing.api, importing.files
    there = api.make(name=[{"family": "Old"}])
    same = {key: there[key] for key in ("resourceType", "id", "name")}
    texts = files.put("/m.ndjson", *(message(f"m{n}", "p1") for n in range(5)), packed=True)
    # A later line about a resource follows the one before, and takes its place.
    patients = files.put(
        "/p.ndjson", pat("p1", "First"), same, pat("p1"), pat("p2"), "", "no JSON", {"id": "x"},
        message("m9", "p1"), {"resourceType": "Patient", "name": [{}]}, pat("p3") | {"gender": "no"}
    )  # fmt: skip
    hook = {
        "resourceType": "Subscription",
        "id": "s1",
        "status": "active",
        "reason": "x",
        "criteria": "Patient",
        "channel": {"type": "rest-hook", "endpoint": "https://hook.example.org"},
    }
    inputs = (
        ("Communication", texts),
        ("Patient", patients),
        ("Subscription", files.put("/s.ndjson", hook)),
        ("Patient", f"http://{files.host}/none"),
    )
    result = importing.done(importing.begin(*inputs))
    assert [counted(one) for one in result["output"]] == [
        (5, 5, 0, 0, 0),
        (9, 2, 1, 1, 5),
        (1, 1, 0, 0, 0),
        (0, 0, 0, 0, 0),
    ]
    assert result["output"][3]["extension"]["incomplete"] == "its server answers 404"
    assert [one["inputUrl"] for one in result["output"]] == [url for _, url in inputs]
    told = importing.errors(result)
    assert [text.partition(":")[0] for text in told] == [
        *(f"file 2 (127.0.0.1), line {n}" for n in (6, 7, 8, 9, 10)),
        "the file 4 of 127.0.0.1 was not read to its end",
    ]
    assert importing.there() == sorted(["p1", "p2", there["id"]])
    assert api.call("GET", "Patient/p1").json()["name"] == [{"family": "Ames"}]
    assert api.versions("Patient", "p1") == 2
    assert api.versions("Patient", there["id"]) == 1
    assert len(api.ids("Communication?subject=Patient/p1")) == 5
    assert api.call("GET", "Subscription/s1").json()["status"] == "off"
    # It is recorded as what the client has done.
    records = api.run(api.store.list_private(PENDING))
    imported = [json.loads(one) for one in records.values() if json.loads(one)["act"] == "import"]
    touched = sorted(name for one in imported for _, name, _, how in one["touched"] if how == "C")
    assert touched == sorted(["p1", "p2", "s1", *(f"m{n}" for n in range(5))])
    assert {one["by"]["client"] for one in imported} == {api.client.client_id}
    # Again does no harm.
    again, _ = importing.all(*inputs[:1])
    assert again == [(5, 0, 0, 5, 0)]


@pytest.mark.usefixtures("small")
def test_it_goes_on_in_another_process(importing: Importing) -> None:
    """Each one dies after a step or two; meanwhile the file is not there for a while."""
    files = importing.files
    url = files.put("/p.ndjson", *(pat(f"p{n}") for n in range(20)), packed=True)
    other = files.put("/q.ndjson", *(pat(f"q{n}") for n in range(4)))
    files.broken = {"/p.ndjson": 2, "/q.ndjson": 1}
    steps = iter(range(10_000))

    def between() -> None:
        if next(steps) % 7 == 6:
            importing.again()

    result = importing.done(importing.begin(("Patient", url), ("Patient", other)), between)
    assert [counted(one)[:2] for one in result["output"]] == [(20, 20), (4, 4)]
    assert result["error"] == []
    assert files.asked.count("/p.ndjson") > 3
    assert len(importing.there()) == 24
    assert importing.api.versions("Patient", "p19") == 1


def test_what_cannot_be_fetched_is_told(alone: Importing) -> None:
    files = alone.files
    good = files.put("/p.ndjson", pat("p1"))
    files.put("/broken", pat("p2"), pat("p3"))
    files.broken["/broken"] = 100
    files.files["/packed"] = gzip.compress(json.dumps(pat("p4")).encode() * 50)[:-20]
    files.moved = {
        "/away": "http://localhost:1/p.ndjson",
        "/near": "/p.ndjson",
        "/round": "/round",
    }
    here = f"http://{files.host}"
    paths = ("/broken", "/packed", "/away", "/near", "/round")
    result = alone.done(alone.begin(*[("Patient", f"{here}{path}") for path in paths]))
    assert [one["extension"].get("incomplete", "") for one in result["output"]] == [
        "its answer broke off",
        "it is no gzip that can be unpacked to its end",
        "it is redirected to another server",
        "",
        "it is redirected without end",
    ]
    assert files.asked.count("/broken") == done._TRIES
    assert alone.there() == ["p1"]
    # What is in a private network is not called unless it is allowed, whenever that changes.
    url = alone.begin(("Patient", good))
    alone.api.run(allow_host(alone.api.store, DEFAULT_PROJECT, files.host, allowed=False))
    assert "private network" in alone.done(url)["output"][0]["extension"]["incomplete"]
    hidden = alone.begin(("Patient", "https://127.0.0.1:1/x"))
    assert "private network" in alone.done(hidden)["output"][0]["extension"]["incomplete"]


def _with(name: str, **value: Any) -> dict[str, Any]:
    body = asked(("Patient", "https://elsewhere.example.org/p.ndjson"))
    kept = [one for one in body["parameter"] if one["name"] != name]
    return {**body, "parameter": [*kept, *([{"name": name, **value}] if value else [])]}


_INPUT = {"inputFormat": "ndjson", "input": [{"type": "Patient", "url": "https://e.example.org/"}]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (_INPUT, 202),
        ({**_INPUT, "storageDetail": {"type": "https", "contentEncoding": "gzip"}}, 202),
        ({**_INPUT, "storageDetail": {"type": "aws-s3"}}, 400),
        ({**_INPUT, "storageDetail": {"type": "https", "credentialHttpBasic": "a:b"}}, 400),
        ({**_INPUT, "mode": "merge"}, 400),
        ({**_INPUT, "input": []}, 400),
        ({**_INPUT, "input": [{"type": "Nothing", "url": "https://e.example.org/"}]}, 400),
        *[
            ({**_INPUT, "input": [{"type": "Patient", "url": url}]}, 400)
            for url in (
                "http://e.example.org/",
                "https://u:p@e.example.org/",
                "file:///a",
                "https:",
            )
        ],
        (_with("inputFormat", valueCode="text/csv"), 400),
        (_with("inputFormat"), 400),
        (_with("inputFormat", valueString={"extension": []}), 400),
        (_with("input"), 400),
        (_with("inputSource", valueInteger=1), 400),
        (_with("storageDetail", valueString="https"), 400),
        (_with("unknown", valueString="x"), 400),
        ([], 400),
        ({"resourceType": "Parameters", "parameter": "x"}, 400),
    ],
)
def test_what_is_asked_is_checked(new_api: Any, body: Any, status: int) -> None:
    api = new_api()
    answer = api.call("POST", "$import", body)
    assert answer.status_code == status, answer.text


def test_it_is_ended_and_bounded(alone: Importing) -> None:
    api = alone.api
    url = alone.files.put("/p.ndjson", pat("p1"))
    begun = [alone.begin(("Patient", url)) for _ in range(done.OF_ONE)]
    assert api.call("POST", "$import", asked(("Patient", url))).status_code == 429
    other = api.run(add_client(api.store, "other"))
    basic = api.credentials(other.client_id, other.client_secret)
    assert api.call("GET", begun[0], authorization=basic).status_code == 404
    assert api.call("DELETE", begun[0], authorization=basic).status_code == 404
    assert api.call("DELETE", begun[0]).status_code == 202
    assert api.call("GET", begun[0]).status_code == 404
    assert api.call("DELETE", begun[0]).status_code == 404
    for one in begun[1:]:
        alone.done(one)
    assert counted(alone.done(begun[2])["output"][0]) in ((1, 0, 0, 1, 0), (1, 1, 0, 0, 0))
    api.clock.now += done.KEPT_FOR + 1
    assert api.call("GET", begun[1]).status_code == 404
    alone.step()
    for kind in ("bulk-import-asked", "bulk-import-progress", "bulk-pieces"):
        assert api.run(api.store.list_private(kind)) == {}


def _limited(alone: Importing, *entries: dict[str, Any]) -> str:
    """The login of a client that may do so much."""
    api = alone.api
    client = api.run(add_client(api.store, "limited"))
    policy = {"resourceType": "AccessPolicy", "name": "some", "resource": list(entries)}
    kept = api.run(keep_policy(api.store, DEFAULT_PROJECT, policy))
    who = f"ClientApplication/{client.client_id}"
    membership = Membership(who, who, (Grant(kept["id"]),))
    api.run(keep_membership(api.store, DEFAULT_PROJECT, membership))
    return str(api.credentials(client.client_id, client.client_secret))


@pytest.mark.usefixtures("small")
def test_a_policy_says_what_may_be_loaded(alone: Importing) -> None:
    api, files = alone.api, alone.files
    hidden, taken = api.make(gender="female"), api.make(gender="male")
    basic = _limited(
        alone,
        {"resourceType": "Patient", "criteria": "Patient?gender=male"},
        {"resourceType": "Communication"},
        {"resourceType": "Encounter", "readonly": True},
    )
    # What is referred to comes later, in a file that comes later.
    texts = [message(f"m{n}", f"p{n}") for n in range(5)]
    texts += [message("m8", hidden["id"]), message("m9", "nobody")]
    men = [{**pat(f"p{n}"), "gender": "male"} for n in range(5)]
    others = [
        {**pat("p9"), "gender": "female"},
        {**pat(hidden["id"]), "gender": "male"},
        {**pat(taken["id"]), "gender": "female"},
    ]
    counts, told = alone.all(
        ("Communication", files.put("/m.ndjson", *texts)),
        ("Patient", files.put("/p.ndjson", *men, *others)),
        authorization=basic,
    )
    assert counts == [(7, 5, 0, 0, 2), (8, 5, 0, 0, 3)]
    assert len(told) == 5
    assert len({text.partition(": ")[2] for text in told if "file 1" in text}) == 1
    assert alone.there("Communication") == [f"m{n}" for n in range(5)]
    assert api.versions("Patient", hidden["id"]) == 1
    refused = api.call(
        "POST", "$import", asked(("Encounter", files.put("/e", pat("x")))), authorization=basic
    )
    assert refused.status_code == 403


@pytest.mark.usefixtures("small")
def test_what_is_loaded_is_judged_with_what_is_hidden(alone: Importing) -> None:
    """R4 asks for an Observation's status and code, which this client does not see."""
    api, files = alone.api, alone.files
    whole = {"status": "final", "code": {"text": "weight"}}
    made = api.make("Observation", **whole)
    basic = _limited(alone, {"resourceType": "Observation", "hiddenFields": [*whole]})
    seen = {"resourceType": "Observation", "id": made["id"], "valueString": "70 kg"}
    lines = [seen, {**seen, "id": "new"}, {**seen, "id": made["id"], "valueQuantity": 3}]
    counts, told = alone.all(("Observation", files.put("/o.ndjson", *lines)), authorization=basic)
    assert counts == [(3, 0, 1, 0, 2)]
    assert sum("Observation.status" in text for text in told) == 1
    stored = api.call("GET", f"Observation/{made['id']}").json()
    assert {name: stored[name] for name in whole} == whole
    assert stored["valueString"] == "70 kg"

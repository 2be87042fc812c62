"""``$export``: asked for over HTTP, made by its duty, fetched as files (Bulk Data Access 2.0)."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.api.clients import add_client
from threadwell.api.oauth.access import RECHECK
from threadwell.api.oauth.clients import remove_client
from threadwell.app import sight_of
from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import Line
from threadwell.audit.trail import Trail
from threadwell.bulk import exports as made
from threadwell.bulk import files, job, walking
from threadwell.stores.contract import DEFAULT_PROJECT

SOME = {"Communication": 5, "Encounter": 3, "Patient": 4}


class Exporting:
    """A server, and the duty that makes its exports, a page a round."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.again()

    def again(self) -> None:
        """Another process takes the duty over: it knows nothing but what is in the store."""
        self.duty = made.Exports(
            self.api.store,
            DEFAULT_PROJECT,
            sight_of(self.api.store),
            clock=self.api.clock,
            seconds=0.0,
        )

    def begin(self, path: str = "$export", body: Any = None, **headers: str) -> str:
        """Where the export is that was asked for."""
        method = "GET" if body is None else "POST"
        answer = self.api.call(method, path, body, **{"prefer": "respond-async", **headers})
        assert answer.status_code == 202, answer.text
        return str(answer.headers["content-location"])

    def step(self) -> float | None:
        return self.api.run(self.duty.round())

    def done(self, url: str, between: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """The manifest of an export that is made to its end."""
        for _ in range(500):
            answer = self.api.call("GET", url)
            if answer.status_code != 202:
                assert answer.status_code == 200, answer.text
                return dict(answer.json())
            assert 0 < len(answer.headers["x-progress"]) <= 100
            assert int(answer.headers["retry-after"]) > 0
            between()
            wait = self.step()
            self.api.clock.now += int(1000 * (wait or 0))
        raise AssertionError("it does not end")

    def lines(self, manifest: dict[str, Any], part: str = "output") -> list[dict[str, Any]]:
        found = []
        for one in manifest[part]:
            answer = self.api.call("GET", one["url"], accept="application/fhir+ndjson")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/fhir+ndjson"
            assert answer.text.endswith("\n")
            lines = [json.loads(line) for line in answer.text.splitlines()]
            assert len(lines) == one["count"]
            assert {line["resourceType"] for line in lines} == {one["type"]}
            found += lines
        return found

    def all(self, path: str = "$export", body: Any = None, **headers: str) -> list[dict[str, Any]]:
        return self.lines(self.done(self.begin(path, body, **headers)))


@pytest.fixture
def exporting(api: Any) -> Exporting:
    return Exporting(api)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages and files of a few lines."""
    monkeypatch.setattr(walking, "PAGE", 2)
    monkeypatch.setattr(files, "MOST_LINES", 2)


def fill(api: Any) -> dict[str, list[dict[str, Any]]]:
    """Two patients with messages and encounters, and a message of nobody's."""
    pat, sam = (api.make(name=[{"family": name}]) for name in ("Ames", "Boyle"))
    found: dict[str, list[dict[str, Any]]] = {"Patient": [pat, sam], "Communication": []}
    for n, who in enumerate([pat, sam, pat, None]):
        about = {"subject": {"reference": f"Patient/{who['id']}"}} if who else {}
        found["Communication"].append(
            api.make(
                "Communication",
                status="completed" if n else "in-progress",
                sent=f"2024-04-1{n}T09:00:00Z",
                payload=[{"contentString": f"text {n}"}],
                **about,
            )
        )
    found["Organization"] = [api.make("Organization", name="Practice")]
    return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return sorted(one["id"] for one in found)


def parameters(*pairs: tuple[str, str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, f"value{kind}": value} for name, kind, value in pairs],
    }


@pytest.mark.usefixtures("small")
def test_everything_is_exported_as_it_is_read(exporting: Exporting) -> None:
    api = exporting.api
    there = fill(api)
    url = exporting.begin()
    manifest = exporting.done(url)
    assert manifest["request"] == "http://testserver/fhir/R4/$export"
    assert manifest["requiresAccessToken"] is True
    assert manifest["deleted"] == manifest["error"] == []
    assert manifest["transactionTime"] == "2024-03-10T12:00:00.000Z"
    told = exporting.lines(manifest)
    assert sorted(told, key=lambda one: one["id"]) == sorted(
        (one for some in there.values() for one in some), key=lambda one: one["id"]
    )
    # Four messages are too many for one file.
    assert [one["type"] for one in manifest["output"]].count("Communication") == 2
    assert "expires" in api.call("GET", url).headers


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("path", "body", "wanted"),
    [
        ("$export?_type=Patient", None, {"Patient": [0, 1]}),
        ("$export?_type=Patient,Organization", None, {"Patient": [0, 1], "Organization": [0]}),
        (
            "$export?_type=Communication&_typeFilter=Communication%3Fstatus%3Din-progress",
            None,
            {"Communication": [0]},
        ),
        (
            "$export?_type=Communication&_typeFilter=Communication%3Fsent%3Dlt2024-04-11"
            "&_typeFilter=Communication%3Fsubject%3Amissing%3Dtrue",
            None,
            {"Communication": [0, 3]},
        ),
        (
            "$export?_type=Communication&_typeFilter=Communication?sent=lt2024-04-11,"
            "Communication?status=completed,preparation",
            None,
            {"Communication": [0, 1, 2, 3]},
        ),
        ("Patient/$export", None, {"Patient": [0, 1], "Communication": [0, 1, 2]}),
        (
            "Patient/$export",
            parameters(("_type", "String", "Communication"), ("_outputFormat", "String", "ndjson")),
            {"Communication": [0, 1, 2]},
        ),
    ],
)
def test_what_is_asked_for_is_exported(
    exporting: Exporting, path: str, body: Any, wanted: dict[str, list[int]]
) -> None:
    there = fill(exporting.api)
    expected = [there[type_][n] for type_, numbers in wanted.items() for n in numbers]
    assert ids(exporting.all(path, body)) == ids(expected)


@pytest.mark.usefixtures("small")
def test_a_group_is_its_patients(exporting: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    from threadwell.bulk import scope

    monkeypatch.setattr(scope, "_TOGETHER", 1)
    api = exporting.api
    there = fill(api)
    pat, sam = there["Patient"]
    both = api.make(
        "Communication",
        status="completed",
        subject={"reference": f"Patient/{pat['id']}"},
        recipient=[{"reference": f"Patient/{sam['id']}"}],
    )

    def group(*members: dict[str, Any]) -> str:
        made = api.make(
            "Group", type="person", actual=True, **({"member": list(members)} if members else {})
        )
        return f"Group/{made['id']}"

    def one(reference: str, **more: Any) -> dict[str, Any]:
        return {"entity": {"reference": reference}, **more}

    inner = group(one(f"Patient/{pat['id']}"))
    outer = group(one(inner), one(f"Patient/{sam['id']}", inactive=True))
    whole = group(one(f"Patient/{pat['id']}"), one(f"Patient/{sam['id']}"), one(inner))
    messages, types = there["Communication"], "_type=Patient,Communication"
    assert ids(exporting.all(f"{outer}/$export?{types}")) == ids(
        [pat, messages[0], messages[2], both]
    )
    # What is of both comes once.
    assert ids(exporting.all(f"{whole}/$export?{types}")) == ids([pat, sam, *messages[:3], both])
    named = parameters(("patient", "Reference", {"reference": f"Patient/{sam['id']}"}))
    assert ids(exporting.all(f"{whole}/$export?{types}", named)) == ids([sam, messages[1], both])
    assert exporting.all(f"{group()}/$export") == []
    refused = api.call("POST", f"{outer}/$export", named)
    assert (refused.status_code, api.texts(refused)) == (
        400,
        [f"Patient/{sam['id']} is not in the group"],
    )
    assert api.call("GET", f"Group/{api.never}/$export").status_code == 404


def test_elements_are_marked(exporting: Exporting) -> None:
    fill(exporting.api)
    path = "$export?_type=Communication,Patient&_elements=Communication.sent,Communication.subject"
    told = exporting.all(path)
    assert {frozenset(one) for one in told if one["resourceType"] == "Communication"} == {
        frozenset({"resourceType", "id", "meta", "status", "sent", "subject"}),
        frozenset({"resourceType", "id", "meta", "status", "sent"}),
    }
    marks = [one["meta"].get("tag", [{}])[-1].get("code") for one in told]
    assert marks.count("SUBSETTED") == 4
    assert all("name" in one for one in told if one["resourceType"] == "Patient")


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("$export?_type=Nothing", None, "Unknown resource type in _type: Nothing"),
        ("$export?_since=yesterday", None, "_since must be an instant, as 2024-04-10T09:00:00Z"),
        (
            "$export?_outputFormat=text/csv",
            None,
            "_outputFormat is application/fhir+ndjson: there is no other",
        ),
        (
            "$export?includeAssociatedData=LatestProvenanceResources",
            None,
            "includeAssociatedData is not offered: ask for those types by _type",
        ),
        ("$export?patient=Patient/1", None, "Unknown parameter of $export: patient"),
        ("Patient/$export?patient=Patient/1", None, "Unknown parameter of $export: patient"),
        (
            "$export?_typeFilter=Communication",
            None,
            "_typeFilter is a search, as Communication?status=completed",
        ),
        (
            "$export?_typeFilter=Communication%3F_sort%3Dsent",
            None,
            "_typeFilter says which resources, and nothing of their order or form",
        ),
        (
            "$export?_type=Patient&_typeFilter=Communication%3Fstatus%3Dcompleted",
            None,
            "Communication is filtered, and not among the types that are asked for",
        ),
        ("$export?_elements=Patient.nose", None, "Patient has no element nose (_elements)"),
        (
            "Patient/$export",
            parameters(("patient", "String", "everybody")),
            "patient is a reference, as Patient/1",
        ),
        (
            "Patient/$export",
            parameters(("patient", "String", "Patient/nobody")),
            "There is no Patient/nobody",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_told(new_api, path: str, body: Any, text: str) -> None:
    api = new_api()
    answer = api.call("GET" if body is None else "POST", path, body)
    assert (answer.status_code, api.texts(answer)) == (400, [text])


def test_a_lenient_client_is_told_what_was_not_heeded(new_api) -> None:
    exporting = Exporting(new_api())
    fill(exporting.api)
    url = exporting.begin(
        "Patient/$export?includeAssociatedData=RelevantProvenanceResources&_type=Patient,Device",
        prefer="respond-async, handling=lenient",
    )
    manifest = exporting.done(url)
    assert len(exporting.lines(manifest)) == 2
    told = [one["issue"][0]["details"]["text"] for one in exporting.lines(manifest, "error")]
    assert told == [
        "includeAssociatedData is not offered: it was not heeded",
        "Device belongs to no patient: nothing of it is here",
    ]


@pytest.mark.usefixtures("small")
def test_only_what_is_newer_and_what_was_deleted(exporting: Exporting) -> None:
    api = exporting.api
    there = fill(api)
    first = exporting.done(exporting.begin())
    api.clock.now += 60_000
    pat, message = there["Patient"][0], there["Communication"][1]
    api.call("DELETE", f"Communication/{message['id']}")
    api.call("PUT", f"Patient/{pat['id']}", {**pat, "active": True})
    fleeting = api.make("Patient")
    api.call("DELETE", f"Patient/{fleeting['id']}")
    back = api.make("Patient")
    gone = api.call("DELETE", f"Patient/{back['id']}")
    assert gone.status_code == 200
    manifest = exporting.done(exporting.begin(f"$export?_since={first['transactionTime']}"))
    assert ids(exporting.lines(manifest)) == [pat["id"]]
    entries = [e["request"] for one in exporting.lines(manifest, "deleted") for e in one["entry"]]
    assert sorted(entries, key=lambda one: one["url"]) == sorted(
        (
            {"method": "DELETE", "url": f"{type_}/{id_}"}
            for type_, id_ in (
                ("Communication", message["id"]),
                ("Patient", fleeting["id"]),
                ("Patient", back["id"]),
            )
        ),
        key=lambda one: one["url"],
    )
    later = f"_since={manifest['transactionTime']}"
    again = exporting.done(exporting.begin(f"$export?{later}"))
    assert again["output"] == again["deleted"] == []
    one_type = exporting.done(
        exporting.begin(f"Patient/$export?_type=Communication&_since={first['transactionTime']}")
    )
    told = exporting.lines(one_type, "deleted")
    assert [entry["request"]["url"] for entry in told[0]["entry"]] == [
        f"Communication/{message['id']}"
    ]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(6))
def test_it_is_as_it_was_when_it_began(exporting: Exporting, seed: int) -> None:
    """Whatever is written, deleted and moved meanwhile, and whoever goes on with it."""
    api, chance = exporting.api, random.Random(seed)
    there: dict[str, dict[str, Any]] = {}

    def write() -> None:
        for _ in range(chance.randrange(3)):
            api.clock.now += 1
            some = sorted(there)
            match chance.choice(["make", "move", "delete"]) if some else "make":
                case "make":
                    made = api.make(
                        "Communication",
                        status="completed",
                        sent=f"2024-04-{chance.randrange(10, 29)}",
                    )
                    there[made["id"]] = made
                case "move":
                    one = there[chance.choice(some)]
                    moved = {**one, "sent": f"2024-04-{chance.randrange(10, 29)}T10:00:00Z"}
                    there[one["id"]] = api.call("PUT", f"Communication/{one['id']}", moved).json()
                case _:
                    gone = there.pop(chance.choice(some))
                    api.call("DELETE", f"Communication/{gone['id']}")
        if chance.random() < 0.3:
            exporting.again()

    for _ in range(12):
        write()
    url = exporting.begin()
    exporting.step()
    expected = sorted(there.values(), key=lambda one: one["id"])
    manifest = exporting.done(url, between=write)
    told = sorted(exporting.lines(manifest), key=lambda one: one["id"])
    assert told == expected


def test_who_commits_late_is_not_left_out(new_api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that says a time before the export's, and is there only after a page was read."""
    monkeypatch.setattr(walking, "PAGE", 2)
    exporting = Exporting(new_api())
    api = exporting.api
    some = [api.make("Patient") for _ in range(5)]
    url = exporting.begin("$export?_type=Patient")
    exporting.step()
    new = api.make("Patient")
    changed = api.call("PUT", f"Patient/{some[4]['id']}", {**some[4], "active": True}).json()
    told = exporting.lines(exporting.done(url))
    assert ids(told) == ids([*some, new])
    assert [one for one in told if one["id"] == changed["id"]] == [changed]


def test_it_is_fetched_as_gzip_too(exporting: Exporting) -> None:
    fill(exporting.api)
    manifest = exporting.done(exporting.begin("$export?_type=Communication"))
    url = manifest["output"][0]["url"]
    plain = exporting.api.call("GET", url, accept_encoding="identity")
    assert "content-encoding" not in plain.headers

    async def raw() -> bytes:
        transport = httpx.ASGITransport(exporting.api.app)
        headers = {"authorization": exporting.api.basic, "accept-encoding": "gzip"}
        async with (
            httpx.AsyncClient(transport=transport) as http,
            http.stream("GET", url, headers=headers) as answer,
        ):
            assert answer.headers["content-encoding"] == "gzip"
            return b"".join([part async for part in answer.aiter_raw()])

    assert gzip.decompress(exporting.api.run(raw())) == plain.content
    head = exporting.api.call("HEAD", url)
    assert (head.status_code, head.content) == (200, b"")


def test_it_is_of_whom_asked_alone(exporting: Exporting) -> None:
    api = exporting.api
    fill(api)
    url = exporting.begin()
    manifest = exporting.done(url)
    other = api.run(add_client(api.store, "other"))
    theirs = api.credentials(other.client_id, other.client_secret)
    for method, at in (
        *(("GET", url), ("DELETE", url), ("GET", manifest["output"][0]["url"])),
        ("GET", f"{url}/none.ndjson"),
    ):
        assert api.call(method, at, authorization=theirs).status_code == 404
    assert api.call("GET", url, authorization=None).status_code == 401
    assert api.call("GET", f"{url}/none.ndjson").status_code == 404
    assert api.call("GET", url).status_code == 200


def test_it_ends_and_leaves_nothing(exporting: Exporting) -> None:
    api = exporting.api
    fill(api)
    begun = exporting.begin()
    exporting.step()
    assert api.call("DELETE", begun).status_code == 202
    assert api.call("GET", begun).status_code == 404
    assert api.call("DELETE", begun).status_code == 404
    url = exporting.begin()
    name = exporting.done(url)["output"][0]["url"]
    api.clock.now += made.KEPT_FOR
    assert api.call("GET", url).status_code == api.call("GET", name).status_code == 404
    assert exporting.step() is None
    assert not set(api.run(api.store.private_kinds())) & set(job.KINDS)


def test_no_more_than_a_few_at_once(new_api) -> None:
    exporting = Exporting(new_api())
    urls = [exporting.begin() for _ in range(made.OF_ONE)]
    refused = exporting.api.call("GET", "$export")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    exporting.done(urls[0])
    exporting.begin()


def test_there_is_an_end_to_room(new_api) -> None:
    exporting = Exporting(new_api())
    api = exporting.api
    fill(api)
    first = exporting.begin()
    exporting.done(first)
    exporting.duty = made.Exports(
        api.store, DEFAULT_PROJECT, sight_of(api.store), clock=api.clock, most_kept=10
    )
    second = exporting.begin()
    exporting.step()
    failed = api.call("GET", second)
    assert (failed.status_code, api.texts(failed)) == (500, [made.NO_ROOM])
    assert api.call("GET", first).status_code == 200


@pytest.mark.usefixtures("small")
def test_what_its_client_may_no_longer_see_is_not_theirs(exporting: Exporting) -> None:
    api = exporting.api
    fill(api)
    client = api.run(add_client(api.store, "limited"))
    theirs = api.credentials(client.client_id, client.client_secret)
    done, under_way = (exporting.begin(authorization=theirs) for _ in range(2))
    api_basic, api.basic = api.basic, theirs
    exporting.done(done)
    third = exporting.begin()
    exporting.step()
    policy = {
        "resourceType": "AccessPolicy",
        "name": "messages",
        "resource": [
            {"resourceType": "Communication", "criteria": "Communication?status=completed"}
        ],
    }
    kept = api.run(keep_policy(api.store, DEFAULT_PROJECT, policy))
    who = f"ClientApplication/{client.client_id}"
    member = Membership(who, who, (Grant(kept["id"]),))
    api.run(keep_membership(api.store, DEFAULT_PROJECT, member))
    # Who asks is looked up anew after a few seconds.
    api.clock.now += RECHECK
    assert api.call("GET", done).status_code == 404
    exporting.step()
    failed = api.call("GET", third)
    assert (failed.status_code, api.texts(failed)) == (500, [made.CHANGED])
    fresh = exporting.begin()
    told = exporting.lines(exporting.done(fresh))
    assert [one["status"] for one in told] == ["completed"] * 3
    api.basic = api_basic
    last = exporting.begin(authorization=theirs)
    api.run(remove_client(api.store, client.client_id))
    exporting.step()
    assert under_way != last
    found = api.run(job.find_job(api.store, DEFAULT_PROJECT, last.rpartition("/")[2]))
    assert found.progress.error == made.REVOKED


@pytest.mark.usefixtures("small")
def test_what_comes_into_the_files_is_recorded_by_patient(new_api: Any, store: Any) -> None:
    trail = Trail(store)
    api = new_api(store=store, trail=trail)
    made_ = fill(api)
    exporting = Exporting(api)
    lines = exporting.all()

    async def told() -> list[Line]:
        return [line async for line in find(trail, DEFAULT_PROJECT, Wanted(act="export"))]

    found = api.run(told())
    seen = sorted(f"{t.type}/{t.id}" for line in found for t in line.record.touched)
    assert seen == sorted(f"{one['resourceType']}/{one['id']}" for one in lines)
    patients = {patient for line in found for patient in line.patients}
    assert patients == {one["id"] for one in lines if one["resourceType"] == "Patient"}
    assert {one["id"] for one in made_["Patient"]} <= patients
    assert {line.record.by.who for line in found} == {f"ClientApplication/{api.client.client_id}"}

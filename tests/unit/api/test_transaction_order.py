"""The order within a transaction (FHIR R4 §3.1.0.11.2), and what is told once it is committed."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.stores.contract import StoreError
from threadwell.stores.memory import MemoryStore

PATIENT = {"resourceType": "Patient"}


@pytest.mark.parametrize("by", ["id", "condition"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("reverse", [False, True])
def test_nothing_finds_what_another_entry_deletes(api, mark, by, method, reverse) -> None:
    old = api.make(identifier=api.tagged(mark))
    condition = f"identifier=urn:t|{mark}"
    new = {**PATIENT, "identifier": api.tagged(mark), "active": True}
    makes = (
        api.entry("POST", "Patient", new, ifNoneExist=condition)
        if method == "POST"
        else api.entry("PUT", f"Patient?{condition}", new)
    )
    url = f"Patient/{old['id']}" if by == "id" else f"Patient?{condition}"
    entries = [makes, api.entry("DELETE", url)]
    answer = api.bundle("transaction", *(reversed(entries) if reverse else entries))
    assert answer.status_code == 200, answer.text
    found = api.ids(f"Patient?{condition}")
    assert len(found) == 1
    assert found != [old["id"]]
    assert api.call("GET", f"Patient/{old['id']}").status_code == 410


def test_a_condition_finds_what_is_left(api, mark: str) -> None:
    going, staying = (api.make(identifier=api.tagged(mark)) for _ in range(2))
    answer = api.bundle(
        "transaction",
        api.entry("POST", "Patient", PATIENT, ifNoneExist=f"identifier=urn:t|{mark}"),
        api.entry("DELETE", f"Patient/{going['id']}"),
    )
    assert answer.json()["entry"][0]["resource"] == staying


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_is_deleted_is_written_by_no_other_entry(api, mark: str, method: str) -> None:
    made = api.make(identifier=api.tagged(mark))
    body = made if method == "PUT" else [{"op": "add", "path": "/active", "value": True}]
    gone = api.entry("DELETE", f"Patient/{made['id']}")
    by_id = api.bundle("transaction", gone, api.entry(method, f"Patient/{made['id']}", body))
    assert api.texts(by_id) == ["The transaction writes this resource twice"]
    if method == "PATCH":
        url = f"Patient?identifier=urn:t|{mark}"
        assert api.bundle("transaction", gone, api.entry(method, url, body)).status_code == 404
    assert api.ids("Patient") == [made["id"]]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_every_entry_tells_where_its_resource_is(api, mark: str, kind: str) -> None:
    made = api.make(identifier=api.tagged(mark))
    condition = f"identifier=urn:t|{mark}"
    path = f"Patient/{made['id']}"
    for entry in (
        api.entry("POST", "Patient", PATIENT, ifNoneExist=condition),
        api.entry("PUT", path, made),
        api.entry("PUT", f"Patient?{condition}", {**made, "active": True}),
        api.entry("PATCH", path, [{"op": "add", "path": "/gender", "value": "other"}]),
    ):
        (one,) = api.bundle(kind, entry, prefer="return=minimal").json()["entry"]
        assert (one["response"]["status"], one["response"]["location"]) == ("200", path)
        assert "resource" not in one


@pytest.mark.parametrize("url", ["Patient/$validate", "Patient/_search?_id=none"])
def test_what_reads_by_post_is_a_read(api, url: str) -> None:
    answer = api.bundle(
        "transaction",
        api.entry("POST", url, PATIENT if "$" in url else None),
        api.entry("POST", "Patient", PATIENT),
    )
    statuses = [one["response"]["status"] for one in answer.json()["entry"]]
    assert statuses == ["200", "201"]


class Failing(MemoryStore):
    """A store that answers no more once it has committed, if that is asked of it."""

    broken = False
    how: type[Exception] = StoreError

    async def commit(self, *of: Any) -> None:
        await super().commit(*of)
        self.broken = True

    async def read(self, *of: Any) -> Any:
        return await self._unless_broken(super().read(*of))

    async def read_many(self, *of: Any) -> Any:
        return await self._unless_broken(super().read_many(*of))

    async def search(self, *of: Any) -> Any:
        return await self._unless_broken(super().search(*of))

    async def _unless_broken(self, answer: Any) -> Any:
        found = await answer
        if self.broken:
            raise self.how("the disk of Zmeskal is full")
        return found


@pytest.mark.parametrize(("how", "status"), [(StoreError, "503"), (RuntimeError, "500")])
def test_what_fails_after_the_commit_undoes_nothing(new_api, how, status) -> None:
    store = Failing()
    store.how = how
    api = new_api(store=store)
    answer = api.bundle(
        "transaction",
        api.entry("POST", "Patient", PATIENT),
        api.entry("GET", "Patient?_summary=count"),
        api.entry("GET", "Patient"),
    )
    assert answer.status_code == 200
    made, *reads = answer.json()["entry"]
    assert made["response"]["status"] == "201"
    assert made["resource"]["id"]
    assert [one["response"]["status"] for one in reads] == [status] * 2
    assert "Zmeskal" not in answer.text


@pytest.mark.parametrize("kind", ["", "batch", "transaction"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_write_is_told_though_its_attachments_cannot_be_looked_up(
    new_api, kind: str, method: str
) -> None:
    store = Failing()
    api = new_api(store=store)
    file = api.make("Binary", contentType="text/plain", data="aGk=")
    store.broken = False
    old = api.make("Communication", status="completed")
    store.broken = False
    payload = [{"contentAttachment": {"url": f"Binary/{file['id']}"}}]
    url = "Communication" if method == "POST" else f"Communication/{old['id']}"
    body: Any = {**old, "payload": payload}
    if method == "PATCH":
        body = [{"op": "add", "path": "/payload", "value": payload}]
    if kind:
        answer = api.bundle(kind, api.entry(method, url, body))
        (one,) = answer.json()["entry"]
        status, resource = int(one["response"]["status"]), one["resource"]
    else:
        answer = api.call(method, url, body)
        status, resource = answer.status_code, answer.json()
    assert status == (201 if method == "POST" else 200)
    assert resource["payload"] == payload

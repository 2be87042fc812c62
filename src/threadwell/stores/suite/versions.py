"""Reading: current versions, old ones, deletions, bytes."""

from __future__ import annotations

from threadwell.stores.contract import DEFAULT_PROJECT, Key
from threadwell.stores.suite.scenario import Contract, Desk, scenario

_PATIENT = {"resourceType": "Patient", "id": "ana", "birthDate": "1980-05-04"}


class Versions(Contract):
    """``read``, ``read_many``, ``read_version``, ``history``, ``content`` and private values."""

    @scenario
    async def test_a_read_returns_what_was_committed(self, desk: Desk) -> None:
        write = desk.write(_PATIENT)
        await desk.commit(write)
        stored = await desk.must_read("Patient", "ana")
        assert stored.body == write.body
        assert (stored.type, stored.id) == ("Patient", "ana")
        assert (stored.version_id, stored.updated) == (write.version_id, write.updated)
        assert stored.author == "ClientApplication/desk"
        assert not stored.deleted

    @scenario
    async def test_bytes_come_back_as_they_are(self, desk: Desk) -> None:
        write = desk.write(_PATIENT)
        odd = write.body.replace(b"1980-05-04", b"1980-05-04").replace(b",", b" ,\n\t")
        await desk.commit(
            write.__class__("Patient", "ana", write.version_id, write.updated, write.resource, odd)
        )
        assert (await desk.must_read("Patient", "ana")).body == odd

    @scenario
    async def test_what_never_was_reads_as_nothing(self, desk: Desk) -> None:
        await desk.put(_PATIENT)
        assert await desk.read("Patient", "ben") is None
        assert await desk.read("Group", "ana") is None
        assert await desk.store.read_version(DEFAULT_PROJECT, "Patient", "ben", "1") is None
        assert await desk.store.read_version(DEFAULT_PROJECT, "Patient", "ana", "1") is None
        assert await desk.store.history(DEFAULT_PROJECT, "Patient", "ben", 10, 0) == ([], 0)
        assert await desk.store.content(DEFAULT_PROJECT, "ana", "1") is None

    @scenario
    async def test_read_many_finds_those_that_exist(self, desk: Desk) -> None:
        (ana,) = await desk.put(_PATIENT)
        (ben,) = await desk.put({"resourceType": "Patient", "id": "ben"})
        await desk.commit(desk.deletion(ben))
        found = await desk.store.read_many(
            DEFAULT_PROJECT,
            [Key("Patient", "ana"), Key("Patient", "ben"), Key("Patient", "cem")],
        )
        assert found[Key("Patient", "ana")] == ana
        assert found[Key("Patient", "ben")].deleted
        assert len(found) == 2
        assert await desk.store.read_many(DEFAULT_PROJECT, []) == {}

    @scenario
    async def test_read_many_finds_hundreds_of_several_types(self, desk: Desk) -> None:
        """Of some types there are many, of another one few; an id is one of its type alone."""
        there = [
            stored
            for number in range(40)
            for type_ in ("Patient", "Group" if number % 9 else "Location")
            for stored in await desk.put({"resourceType": type_, "id": f"n{number}"})
        ]
        await desk.commit(desk.deletion(there[0]))
        wanted = [
            Key(type_, f"n{number}")
            for number in reversed(range(300))
            for type_ in ("Patient", "Location", "Group", "Device")
        ]
        found = await desk.store.read_many(DEFAULT_PROJECT, [*wanted, wanted[-1], wanted[5]])
        first = Key("Patient", "n0")
        assert found.pop(first).deleted
        assert found == {Key(one.type, one.id): one for one in there[1:]}
        assert await desk.store.read_many("another", wanted) == {}

    @scenario
    async def test_every_version_stays(self, desk: Desk) -> None:
        versions = []
        for year in (1980, 1981, 1982):
            versions += await desk.put({**_PATIENT, "birthDate": f"{year}-05-04"})
        assert await desk.read("Patient", "ana") == versions[-1]
        for version in versions:
            found = await desk.store.read_version(
                DEFAULT_PROJECT, "Patient", "ana", version.version_id
            )
            assert found == version
        history = await desk.store.history(DEFAULT_PROJECT, "Patient", "ana", 10, 0)
        assert history == (versions[::-1], 3)

    @scenario
    async def test_history_comes_in_pages(self, desk: Desk) -> None:
        versions = []
        for year in range(1980, 1985):
            versions += await desk.put({**_PATIENT, "birthDate": f"{year}-05-04"})
        page = await desk.store.history(DEFAULT_PROJECT, "Patient", "ana", 2, 1)
        assert page == ([versions[3], versions[2]], 5)
        assert await desk.store.history(DEFAULT_PROJECT, "Patient", "ana", 2, 9) == ([], 5)
        assert await desk.store.history(DEFAULT_PROJECT, "Patient", "ana", 0, 0) == ([], 5)

    @scenario
    async def test_a_deletion_is_a_version_without_a_body(self, desk: Desk) -> None:
        (ana,) = await desk.put(_PATIENT)
        deletion = desk.deletion(ana)
        await desk.commit(deletion)
        stored = await desk.must_read("Patient", "ana")
        assert (stored.deleted, stored.body) == (True, b"")
        assert stored.version_id == deletion.version_id
        history, count = await desk.store.history(DEFAULT_PROJECT, "Patient", "ana", 10, 0)
        assert (history, count) == ([stored, ana], 2)
        assert await desk.ids("Patient") == []

    @scenario
    async def test_a_deleted_resource_may_be_written_again(self, desk: Desk) -> None:
        (ana,) = await desk.put(_PATIENT)
        await desk.commit(desk.deletion(ana))
        await desk.put({**_PATIENT, "birthDate": "1990-01-01"})
        assert await desk.ids("Patient?birthdate=1990-01-01") == ["ana"]
        assert await desk.ids("Patient?birthdate=1980-05-04") == []
        assert (await desk.store.history(DEFAULT_PROJECT, "Patient", "ana", 10, 0))[1] == 3

    @scenario
    async def test_content_stays_with_its_version(self, desk: Desk) -> None:
        binary = {"resourceType": "Binary", "id": "scan", "contentType": "image/png"}
        first = desk.write(binary, content=b"\x89PNG\0\xff" * 100_000)
        await desk.commit(first)
        second = desk.write(binary, await desk.read("Binary", "scan"), content=b"")
        await desk.commit(second)
        third = desk.write(binary, await desk.read("Binary", "scan"))
        await desk.commit(third)

        async def content(version_id: str) -> bytes | None:
            return await desk.store.content(DEFAULT_PROJECT, "scan", version_id)

        assert await content(first.version_id) == b"\x89PNG\0\xff" * 100_000
        assert await content(second.version_id) == b""
        assert await content(third.version_id) is None
        assert (await desk.must_read("Binary", "scan")).body == third.body

    @scenario
    async def test_private_values(self, desk: Desk) -> None:
        store = desk.store
        assert await store.get_private("key", "signing") is None
        assert await store.put_private("key", "signing", b"one")
        assert await store.put_private("key", "signing", b"two")
        assert not await store.put_private("key", "signing", b"three", only_new=True)
        assert await store.get_private("key", "signing") == b"two"
        assert await store.put_private("key", "other", b"", only_new=True)
        assert await store.put_private("client", "signing", b"another kind")
        names = ["signing", "none", "other", "signing"]
        assert await store.get_private_many("key", names) == {"other": b"", "signing": b"two"}
        assert await store.get_private_many("key", []) == {}
        assert await store.list_private("key") == {"other": b"", "signing": b"two"}
        assert await store.put_private("key", "signing", None)
        assert await store.put_private("key", "signing", None)
        assert await store.list_private("key") == {"other": b""}
        assert await store.list_private("nothing") == {}

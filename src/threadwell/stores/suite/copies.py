"""Everything that a store has, in order, so that another one can take it over."""

from __future__ import annotations

from itertools import pairwise

from threadwell.stores.contract import DEFAULT_PROJECT, START, Version
from threadwell.stores.suite.scenario import Contract, Desk, scenario

_OTHER = "f3c1b0a2-0000-4000-8000-000000000002"


class Copies(Contract):
    """``projects``, ``versions`` and ``private_kinds``."""

    @scenario
    async def test_every_version_is_told_once_and_in_order(self, desk: Desk) -> None:
        told = await _fill(desk)
        for count in (1, 2, 3, 100):
            assert [version.stored for version in await _all(desk, count)] == told

    @scenario
    async def test_versions_are_numbered_within_their_resource(self, desk: Desk) -> None:
        await _fill(desk)
        numbers = [(v.stored.id, v.position.number) for v in await _all(desk, 2)]
        assert numbers == [("ana", 1), ("ana", 2), ("ana", 3), ("scan", 1), ("scan", 2), ("ben", 1)]

    @scenario
    async def test_content_is_told_with_its_version(self, desk: Desk) -> None:
        await _fill(desk)
        contents = [version.content for version in await _all(desk, 4)]
        assert contents == [None, None, None, b"\x89PNG\0\xff", None, None]

    @scenario
    async def test_much_is_told_in_parts(self, desk: Desk) -> None:
        for n in range(4):
            binary = {"resourceType": "Binary", "id": f"b{n}", "contentType": "image/png"}
            await desk.commit(desk.write(binary, content=bytes([n]) * 6_000_000))
        found = await _all(desk, 100)
        assert [version.content for version in found] == [bytes([n]) * 6_000_000 for n in range(4)]

    @scenario
    async def test_projects_are_told_apart(self, desk: Desk) -> None:
        assert await desk.store.projects() == []
        assert await desk.store.versions(DEFAULT_PROJECT, START, 10) == []
        (ours,) = await desk.put({"resourceType": "Patient", "id": "ana"})
        (theirs,) = await desk.put({"resourceType": "Patient", "id": "ana"}, project=_OTHER)
        (more,) = await desk.put({"resourceType": "Patient", "id": "ben"})
        assert sorted(await desk.store.projects()) == sorted([DEFAULT_PROJECT, _OTHER])
        assert [v.stored for v in await _all(desk, 1)] == [ours, more]
        assert [v.stored for v in await _all(desk, 9, _OTHER)] == [theirs]
        assert await desk.store.versions("no such project", START, 10) == []

    @scenario
    async def test_kinds_of_private_values(self, desk: Desk) -> None:
        assert await desk.store.private_kinds() == []
        for kind, name in (("key", "a"), ("key", "b"), ("client", "a")):
            await desk.store.put_private(kind, name, b"x")
        assert await desk.store.private_kinds() == ["client", "key"]
        await desk.store.put_private("client", "a", None)
        assert await desk.store.private_kinds() == ["key"]


async def _fill(desk: Desk) -> list[object]:
    """Three resources in turns; every version in the order in which it is to be told."""
    binary = {"resourceType": "Binary", "id": "scan", "contentType": "image/png"}
    (first,) = await desk.put({"resourceType": "Patient", "id": "ana"})
    await desk.commit(desk.write(binary, content=b"\x89PNG\0\xff"))
    scan = await desk.must_read("Binary", "scan")
    (second,) = await desk.put({"resourceType": "Patient", "id": "ana", "active": True})
    (ben,) = await desk.put({"resourceType": "Patient", "id": "ben"})
    (later,) = await desk.put(binary)
    await desk.commit(desk.deletion(second))
    gone = await desk.must_read("Patient", "ana")
    return [first, second, gone, scan, later, ben]


async def _all(desk: Desk, count: int, project: str = DEFAULT_PROJECT) -> list[Version]:
    found: list[Version] = []
    after = START
    while part := await desk.store.versions(project, after, count):
        assert len(part) <= count
        assert all(one.position < next_.position for one, next_ in pairwise(part))
        found += part
        after = part[-1].position
    return found

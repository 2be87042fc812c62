"""What is expunged: nothing of it is found by any way, and all else is as it was."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest

from threadwell.stores.contract import (
    DEFAULT_PROJECT,
    START,
    Conflict,
    IndexSize,
    Kept,
    Key,
    Stored,
)
from threadwell.stores.scanning import scan
from threadwell.stores.suite.scenario import Contract, Desk, query, scenario

_OTHER = "f3c1b0a2-0000-4000-8000-000000000004"
_END = 2**62


def _patient(id_: str, **more: object) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id_, "name": [{"family": f"Of {id_}"}], **more}


async def _delete(desk: Desk, *several: Stored, project: str = DEFAULT_PROJECT) -> list[Stored]:
    await desk.commit(*(desk.deletion(one) for one in several), project=project)
    return [await desk.must_read(one.type, one.id, project) for one in several]


class Expunging(Contract):
    """``expunge``."""

    @scenario
    async def test_nothing_of_it_is_left(self, desk: Desk) -> None:
        (ben,) = await desk.put(_patient("ben"))
        sizes = await _entries(desk)
        await desk.put(_patient("ana"), _patient("ana", active=True))
        binary = {"resourceType": "Binary", "id": "file", "contentType": "text/plain"}
        await desk.commit(desk.write(binary, content=b"a secret"))
        versions = [one.stored for one in await desk.store.versions(DEFAULT_PROJECT, START, 10)]
        ana, file = await desk.must_read("Patient", "ana"), await desk.must_read("Binary", "file")
        gone = await _delete(desk, ana, file)
        await desk.store.expunge(DEFAULT_PROJECT, gone)
        for one in (*versions, *gone):
            if one.id == "ben":
                continue
            assert await desk.read(one.type, one.id) is None
            read = await desk.store.read_version(DEFAULT_PROJECT, one.type, one.id, one.version_id)
            assert read is None
            assert await desk.store.read_version(DEFAULT_PROJECT, one.type, one.id, "") is None
            told = await desk.store.history(DEFAULT_PROJECT, one.type, one.id, 10, 0)
            assert told == ([], 0)
            content = await desk.store.content(DEFAULT_PROJECT, one.id, one.version_id)
            assert content is None
        keys = [Key("Patient", "ana"), Key("Patient", "ben"), Key("Binary", "file")]
        assert await desk.store.read_many(DEFAULT_PROJECT, keys) == {keys[1]: ben}
        for search in (
            "Patient",
            "Patient?family=of",
            "Patient?_id=ana,ben",
            "Patient?_sort=_lastUpdated",
            "Patient?active:missing=true&_total=accurate",
        ):
            assert await desk.ids(search) == ["ben"]
        assert await desk.ids("Binary") == []
        left = await desk.store.versions(DEFAULT_PROJECT, START, 10)
        assert [one.stored for one in left] == [ben]
        recent = await desk.store.recent(DEFAULT_PROJECT, [], _END, 10)
        assert [one.stored for one in recent] == [ben]
        assert await _entries(desk) == sizes
        assert [one async for one in scan(desk.store, DEFAULT_PROJECT, query("Patient"))] == [ben]

    @scenario
    async def test_who_follows_is_told_once_that_it_is_gone(self, desk: Desk) -> None:
        (ana,) = await desk.put(_patient("ana"))
        await desk.put(_patient("ben"))
        before = await desk.store.position(DEFAULT_PROJECT)
        moment = desk.store.moment()
        (gone,) = await _delete(desk, ana)
        await desk.store.expunge(DEFAULT_PROJECT, [gone])
        assert await desk.store.position(DEFAULT_PROJECT) == before + 2
        assert moment is None or desk.store.moment() != moment
        told = await desk.store.changes(DEFAULT_PROJECT, 0, 10)
        assert [(one.position, one.stored.id, one.stored.version_id != "") for one in told] == [
            (2, "ben", True),
            (4, "ana", False),
        ]
        assert told[1].stored.deleted
        assert told[1].stored.body == b""
        assert await desk.store.changes(DEFAULT_PROJECT, 0, 1) == told[:1]
        # Where all that is asked for is gone, what comes after it is told.
        assert await desk.store.changes(DEFAULT_PROJECT, 2, 1) == told[1:]
        assert await desk.store.changes(DEFAULT_PROJECT, 4, 1) == []
        async with aclosing(desk.store.follow(DEFAULT_PROJECT, 2)) as following:
            assert await anext(following) == told[1]
        await desk.put(_patient("cem"))
        last = (await desk.store.changes(DEFAULT_PROJECT, 4, 10))[0]
        assert (last.position, last.stored.id) == (5, "cem")

    @scenario
    async def test_many_that_are_gone_are_passed_over(self, desk: Desk) -> None:
        several = [desk.write(_patient(f"p{n}")) for n in range(300)]
        await desk.commit(*several)
        there = await desk.store.read_many(
            DEFAULT_PROJECT, [Key("Patient", f"p{n}") for n in range(300)]
        )
        gone = await _delete(desk, *there.values())
        await desk.put(_patient("last"))
        await desk.store.expunge(DEFAULT_PROJECT, gone)
        found = await desk.store.changes(DEFAULT_PROJECT, 0, 20)
        assert found[0].stored.id == "last"
        after = found[0].position
        assert len(await desk.store.changes(DEFAULT_PROJECT, after, 500)) == 300

    @scenario
    async def test_its_id_may_be_written_again(self, desk: Desk) -> None:
        (ana,) = await desk.put(_patient("ana", active=False))
        gone = await _delete(desk, ana)
        await desk.store.expunge(DEFAULT_PROJECT, gone)
        # The same twice: what is not there is passed over.
        await desk.store.expunge(DEFAULT_PROJECT, gone)
        with pytest.raises(Conflict):
            await desk.commit(desk.write(_patient("ana"), gone[0]))
        position = await desk.store.position(DEFAULT_PROJECT)
        await desk.put(_patient("ana", active=True), _patient("new"))
        told, total = await desk.store.history(DEFAULT_PROJECT, "Patient", "ana", 10, 0)
        assert (len(told), total) == (1, 1)
        assert await desk.ids("Patient?active=true") == ["ana"]
        assert await desk.ids("Patient?active=false") == []
        places = [
            (one.stored.id, one.position.number)
            for one in await desk.store.versions(DEFAULT_PROJECT, START, 10)
        ]
        assert places == [("ana", 1), ("new", 1)]
        changes = await desk.store.changes(DEFAULT_PROJECT, position, 10)
        assert [one.stored.id for one in changes] == ["ana", "new"]
        # And expunged again.
        again = await _delete(desk, await desk.must_read("Patient", "ana"))
        await desk.store.expunge(DEFAULT_PROJECT, again)
        assert await desk.read("Patient", "ana") is None
        assert await desk.ids("Patient") == ["new"]

    @scenario
    async def test_in_one_commit_with_what_has_its_id_then(self, desk: Desk) -> None:
        stored = await desk.put(_patient("ana"), _patient("ben"))
        await desk.store.expunge(DEFAULT_PROJECT, await _delete(desk, *stored))
        many = [_patient(id_) for id_ in ("ana", "ben", *(f"p{n}" for n in range(30)))]
        await desk.commit(*(desk.write(one) for one in many))
        assert len(await desk.ids("Patient?_count=100")) == 32
        assert len(await desk.store.versions(DEFAULT_PROJECT, START, 100)) == 32

    @scenario
    async def test_only_what_is_deleted_and_still_so(self, desk: Desk) -> None:
        ana, ben = await desk.put(_patient("ana"), _patient("ben"))
        with pytest.raises(ValueError, match="deleted"):
            await desk.store.expunge(DEFAULT_PROJECT, [ana])
        gone = await _delete(desk, ana, ben)
        with pytest.raises(ValueError, match="once"):
            await desk.store.expunge(DEFAULT_PROJECT, [gone[0], gone[0]])
        with pytest.raises(ValueError, match="private"):
            await desk.store.expunge(DEFAULT_PROJECT, gone, [Kept("k", "n", b"v", before=None)])
        await desk.commit(desk.write(_patient("ben"), gone[1]))
        mark = Kept("expunged", "Patient/ana", b"1")
        with pytest.raises(Conflict) as conflict:
            await desk.store.expunge(DEFAULT_PROJECT, gone, [mark])
        assert conflict.value.key == Key("Patient", "ben")
        assert await desk.read("Patient", "ana") == gone[0]
        assert await desk.store.get_private("expunged", "Patient/ana") is None
        await desk.store.expunge(DEFAULT_PROJECT, gone[:1], [mark])
        assert await desk.read("Patient", "ana") is None
        assert await desk.store.get_private("expunged", "Patient/ana") == b"1"
        assert await desk.ids("Patient") == ["ben"]

    @scenario
    async def test_others_keep_what_is_theirs(self, desk: Desk) -> None:
        (ana,) = await desk.put(_patient("ana"))
        (other,) = await desk.put(_patient("ana"), project=_OTHER)
        group = {
            "resourceType": "Group",
            "id": "ana",
            "type": "person",
            "actual": True,
            "member": [{"entity": {"reference": "Patient/ana"}}],
        }
        await desk.put(group)
        await desk.store.expunge(DEFAULT_PROJECT, await _delete(desk, ana))
        assert await desk.read("Patient", "ana", _OTHER) == other
        assert await desk.ids("Patient", _OTHER) == ["ana"]
        # What refers to it stays as it was, and leads nowhere.
        assert await desk.ids("Group?member=Patient/ana") == ["ana"]
        assert await desk.ids("Group?member:Patient.family=of") == []
        page = await desk.search("Group?_include=Group:member")
        assert [one.type for one in (*page.matches, *page.included)] == ["Group"]


async def _entries(desk: Desk) -> tuple[int, int]:
    size: IndexSize = await desk.store.index_size()
    return size.lists, size.texts

"""Many listeners share one follower of the store, and whoever comes back has missed nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadwell.encounters import codes
from threadwell.fhir.stamp import stamp
from threadwell.inbox import news as news_module
from threadwell.inbox.news import News, Told, about_of
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Stored, StoreError, Write
from threadwell.stores.memory import MemoryStore

#: Long enough for what was committed to be told.
SOON = 2.0


def stored(deleted: bool = False, **resource: Any) -> Stored:
    resource = {"id": "1", **resource}
    _, body = stamp(resource, resource["id"], "1", 1)
    return Stored(
        resource["resourceType"], resource["id"], "1", 1, deleted, b"" if deleted else body
    )


HEADER = {"reference": "Communication/h"}
SESSION = {"reference": "Encounter/e"}
RECEIPT = {"coding": [codes.READ_RECEIPT]}


@pytest.mark.parametrize(
    ("resource", "about"),
    [
        (stored(resourceType="Patient", name=[{"text": "Ana"}]), ()),
        (stored(resourceType="Encounter"), ("Encounter/1",)),
        (stored(resourceType="Encounter", deleted=True), ("Encounter/1",)),
        (
            stored(resourceType="Communication", partOf=[HEADER]),
            ("Communication/1", "Communication/h"),
        ),
        (
            stored(resourceType="Communication", encounter=SESSION),
            ("Communication/1", "Encounter/e"),
        ),
        (stored(resourceType="Communication", deleted=True), ("Communication/1",)),
        (stored(resourceType="Communication", partOf=[{"display": "?"}]), ("Communication/1",)),
        (stored(resourceType="Task", focus=SESSION), ("Task/1", "Encounter/e")),
        (stored(resourceType="Task"), ("Task/1",)),
        (stored(resourceType="Task", focus=HEADER, code=RECEIPT), ()),
    ],
)
def test_what_a_change_is_about(resource: Stored, about: tuple[str, ...]) -> None:
    assert about_of(resource) == about


class Clinic:
    """A store in which sessions are written, and its news."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.news = News(self.store, DEFAULT_PROJECT)
        self.followers = 0
        follow = self.store.follow

        def counted(project: str, after: int) -> Any:
            self.followers += 1
            return follow(project, after)

        self.store.follow = counted  # type: ignore[method-assign]

    async def write(self, *ids: str, type_: str = "Encounter") -> None:
        for id_ in ids:
            resource, body = stamp({"resourceType": type_, "id": id_}, id_, "1", 1)
            write = Write(type_, id_, "1", 1, resource, body, None)
            await self.store.commit(DEFAULT_PROJECT, ChangeSet((write,)))

    async def now(self) -> int:
        return await self.news.position()


def names(told: list[Told] | None) -> list[str]:
    return [name for one in told or () for name in one.about]


def test_all_listeners_share_one_follower(run: Callable[..., Any]) -> None:
    async def test() -> None:
        clinic = Clinic()
        with ExitStack() as stack:
            at = await clinic.now()
            all_ = [stack.enter_context(clinic.news.listening(at, at)) for _ in range(20)]
            await clinic.write("a", "b")
            for one in all_:
                heard: list[str] = []
                while len(heard) < 2:
                    heard += names(await one.wait(SOON))
                assert heard == ["Encounter/a", "Encounter/b"]
        assert clinic.followers == 1

    run(test())


def test_who_comes_as_the_last_one_leaves_goes_on(run: Callable[..., Any]) -> None:
    async def test() -> None:
        clinic = Clinic()
        at = await clinic.now()
        with clinic.news.listening(at, at) as first:
            assert await first.wait(0.05) == []
            assert await first.wait(0.05) == []
        with clinic.news.listening(at, at) as second:
            assert await second.wait(0.05) == []
            await clinic.write("a")
            assert names(await second.wait(SOON)) == ["Encounter/a"]

    run(test())


def test_what_nobody_is_shown_is_not_told(run: Callable[..., Any]) -> None:
    async def test() -> None:
        clinic = Clinic()
        with clinic.news.listening(0, 0) as one:
            await one.wait(0.01)
            await clinic.write("a", type_="Patient")
            assert await one.wait(0.1) == []

    run(test())


@pytest.mark.parametrize(
    ("written", "after", "told"),
    [
        (3, 3, []),
        (3, 1, ["Encounter/1", "Encounter/2"]),
        (3, 0, ["Encounter/0", "Encounter/1", "Encounter/2"]),
        # Too much to say one by one, and a place that the store has never come to.
        (news_module.MOST + 2, 1, ["*"]),
        (3, 4, ["*"]),
        (0, 9, ["*"]),
    ],
)
def test_who_comes_back_is_told_what_they_missed(
    run: Callable[..., Any], written: int, after: int, told: list[str]
) -> None:
    async def test() -> None:
        clinic = Clinic()
        await clinic.write(*map(str, range(written)))
        heard: list[str] = []
        with clinic.news.listening(after, await clinic.now()) as one:
            for _ in range(3):
                found = await one.wait(0.1)
                heard += [name for t in found or () for name in t.about or ("*",)]
        assert heard == told

    run(test())


def test_listeners_go_when_it_is_closed_or_the_store_is(run: Callable[..., Any]) -> None:
    async def test() -> None:
        for end in ("news", "store"):
            clinic = Clinic()
            with clinic.news.listening(0, 0) as one:
                assert await one.wait(0.05) == []
                if end == "news":
                    clinic.news.close()
                else:
                    await clinic.store.close()
                assert await one.wait(SOON) is None

    run(test())


def test_a_follower_that_fails_is_followed_by_another(run: Callable[..., Any]) -> None:
    async def test() -> None:
        clinic = Clinic()
        follow = clinic.store.follow

        async def broken(project: str, after: int) -> Any:
            raise StoreError("the disk is gone")
            yield

        clinic.store.follow = broken  # type: ignore[method-assign]
        with clinic.news.listening(0, 0) as one:
            heard: list[Told] | None = []
            while heard == []:
                heard = await one.wait(SOON)
            assert heard is None
            clinic.store.follow = follow  # type: ignore[method-assign]
            await clinic.write("a")
            with clinic.news.listening(0, 1) as other:
                while not heard:
                    heard = await other.wait(SOON)
                assert names(heard) == ["Encounter/a"]

    run(test())


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["write", "leave", "come", "hear"]), st.integers(0, 3)),
        max_size=30,
    ),
    free=st.lists(st.booleans(), max_size=30),
)
def test_nothing_is_missed_whenever_somebody_leaves(
    steps: list[tuple[str, int]], free: list[bool]
) -> None:
    """Nor is anything told twice, though some is pushed: as long as the connection is free."""

    async def test() -> None:
        clinic, written = Clinic(), 0
        heard: set[str] = set()
        everything = False
        at, stack, one = 0, ExitStack(), None
        others = ExitStack()

        def take(told: list[Told] | None) -> None:
            nonlocal at, everything
            for t in told or ():
                at = t.position
                heard.update(t.about)
                everything |= not t.about

        def push(chunk: bytes) -> bool:
            nonlocal everything
            if not free or not free.pop():
                return False
            size, event = chunk.removesuffix(b"\r\n").split(b"\r\n", 1)
            assert len(event) == int(size, 16)
            told = set(event.decode().partition("data: ")[2].split())
            assert not told & heard
            everything |= told == {"*"}
            heard.update(told - {"*"})
            return True

        for step, number in [*steps, ("leave", 0), ("come", 0)]:
            if step == "write":
                await clinic.write(*(str(written + n) for n in range(number)))
                written += number
            elif step == "leave":
                at = max(at, one.at) if one is not None else at
                stack.close()
                one = None
                if number:
                    others.close()
            elif step == "come":
                if one is None:
                    now = await clinic.now()
                    one = stack.enter_context(clinic.news.listening(at, now, push))
                if number:
                    now = await clinic.now()
                    others.enter_context(clinic.news.listening(now, now))
            elif one is not None:
                take(await one.wait(0.002))
        assert one is not None
        for _ in range(20):
            take(await one.wait(0.02))
            if everything or len(heard) == written:
                break
        stack.close()
        others.close()
        assert everything or heard == {f"Encounter/{n}" for n in range(written)}

    asyncio.run(test())

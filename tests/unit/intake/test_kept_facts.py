"""What verify keeps of sessions is a mapping as any other, with most of it on disk."""

import asyncio
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadwell.intake import verify
from threadwell.intake.reports.verify import kept
from threadwell.intake.reports.verify.kept import ByName
from threadwell.stores.contract import DEFAULT_PROJECT, StoreError
from threadwell.stores.memory import MemoryStore

NAMES = st.sampled_from(["", "a", "b", "Encounter/é", "d", "e", "f"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, st.integers(0, 9)),
        st.tuples(st.just("ask"), NAMES),
        st.tuples(st.just("first"), NAMES, st.integers(0, 9)),
        st.tuples(st.just("take"), NAMES),
        st.tuples(st.just("walk")),
    ),
    max_size=30,
)


@given(STEPS, st.integers(0, 4))
def test_it_is_a_dict(steps, most):
    plain: dict[str, int] = {}
    with ByName[int](most) as mine:
        for what, *given_ in steps:
            if what == "put":
                plain[given_[0]] = mine[given_[0]] = given_[1]
            elif what == "first":
                assert mine.setdefault(*given_) == plain.setdefault(*given_)
            elif what == "take":
                assert mine.pop(given_[0], None) == plain.pop(given_[0], None)
            elif what == "ask":
                assert mine.get(given_[0]) == plain.get(given_[0])
                assert (given_[0] in mine) == (given_[0] in plain)
            else:
                assert list(mine.walk()) == list(plain.items())
                assert list(mine) == list(plain)
                assert len(mine) == len(plain)
        assert {"b", "x"} - mine.keys() == {"b", "x"} - plain.keys()


def test_few_need_no_file_and_many_are_not_in_memory():
    with ByName[int](10) as mine:
        for number in range(10):
            mine[str(number)] = number
        assert mine._file is None
        for number in range(1000):
            mine[str(number)] = number
        assert mine._file is not None
        for number in range(1000):
            assert mine[str(number)] == number
        assert len(mine._new) + len(mine._asked) <= 22
    assert mine._file is None


def test_where_a_disk_has_no_room_verify_says_so(monkeypatch):
    class Full:
        def __init__(self) -> None:
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(kept.ByName, "walk", lambda _self: Full())
    with pytest.raises(StoreError, match="disk is full"):
        asyncio.run(verify(MemoryStore(), DEFAULT_PROJECT))

"""The pages of one project tell nothing of another's, by no route and no button."""

from __future__ import annotations

import os

import pytest

from tests.unit.projects.windows import Windows

# The path of these is set by the module above.
from tests.unit.access.desk_attacks import asked  # isort: skip
from tests.unit.projects.neighbours import FURTHER, SECRETS  # isort: skip
from tests.unit.access.world import WORLD, key  # isort: skip

from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore

#: One of so many is asked; a campaign asks all.
PART = 1 if os.environ.get("THREADWELL_EXAMPLES") == "campaign" else 11
#: What each thing is that the other project has, once a type.
EACH = tuple({key(name).type: name for name in reversed(WORLD)}.values())


@pytest.mark.parametrize("asker", [DEFAULT_PROJECT, FURTHER], ids=["the first", "a further one"])
def test_no_page_tells_of_the_other_project(asker: str) -> None:
    beside = Windows(MemoryStore(), asker, whole=True)
    alone = Windows(MemoryStore(), asker, whole=False)
    apart = []
    for ask in list(asked(EACH))[asker == FURTHER :: PART]:
        here = beside.ask(ask.method, ask.path, ask.form)
        there = alone.ask(ask.method, ask.path, ask.form)
        if here != there or any(secret in here.body for secret in SECRETS):
            apart.append((ask, here, there))
    told = "\n".join(f"{ask}\n  {here}\n  {there}" for ask, here, there in apart[:2])
    assert not apart, f"{len(apart)}\n{told}"


def test_a_cookie_of_one_opens_nothing_in_the_other() -> None:
    windows = Windows(MemoryStore(), FURTHER, whole=True)
    mine = windows.cookies["threadwell"]
    assert windows.ask("GET", "/").status == 200
    without = {"threadwell": mine.partition(".")[0]}
    windows.cookies.clear()
    windows.cookies.update(without)
    assert windows.ask("GET", "/").status == 401

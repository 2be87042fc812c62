"""What somebody does on the pages is theirs, by the name in the link that signed them in."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.encounters.corrected import is_correction
from threadwell.inbox.sign_in import new_link
from threadwell.stores.contract import DEFAULT_PROJECT, START, ChangeSet, Write

INES = "Practitioner/ines"


def authors(store: Any, run: Any, since: int) -> set[str]:
    """Who has written what was written after that position."""
    every = run(store.versions(DEFAULT_PROJECT, START, 10_000))
    latest = sorted(every, key=lambda one: one.stored.updated)
    return {one.stored.author for one in latest[since:]}


def written(store: Any, run: Any) -> int:
    return len(run(store.versions(DEFAULT_PROJECT, START, 10_000)))


def test_a_correction_names_its_author(family: Any, browser_as: Any, store: Any, run: Any) -> None:
    browser = browser_as("ines", "Dr. Ines Alvarado")
    before = written(store, run)
    assert "recorded as said by <bdi>Dr. Ines Alvarado</bdi>" in browser.get(family.path).text
    answer = browser.post(family.path, patient="ada", act="all")
    assert answer.status_code == 303
    (record,) = filter(is_correction, family.all("Provenance"))
    assert record["agent"] == [{"who": {"reference": INES, "display": "Dr. Ines Alvarado"}}]
    assert authors(store, run, before) == {INES}
    page = browser.get(answer.headers["location"]).text
    assert "About Ada: Dr. Ines Alvarado has said so." in page
    assert "<bdi>Dr. Ines Alvarado</bdi>" in page


def test_a_link_that_names_nobody_leaves_no_author(
    family: Any, browser: Any, store: Any, run: Any
) -> None:
    before = written(store, run)
    browser.post(family.path, patient="ada", act="all")
    (record,) = filter(is_correction, family.all("Provenance"))
    assert record["agent"] == [{"who": {"display": "A person on the pages"}}]
    assert authors(store, run, before) == {""}


@pytest.mark.parametrize("change", [{"active": False}, None])
def test_who_works_here_no_longer_sees_nothing(
    browser_as: Any, put: Any, store: Any, run: Any, change: Any
) -> None:
    browser = browser_as("ines", "Dr. Ines Alvarado")
    assert browser.get("/").status_code == 200
    there = run(store.read(DEFAULT_PROJECT, "Practitioner", "ines"))
    if change is None:
        gone = Write("Practitioner", "ines", "2", 2, None, b"", there)
        run(store.commit(DEFAULT_PROJECT, ChangeSet((gone,))))
    else:
        put({"resourceType": "Practitioner", "id": "ines", **change}, before=there)
    assert browser.get("/").status_code == 401


def test_the_door_says_as_whom_one_signs_in(store: Any, run: Any, put: Any, visitor: Any) -> None:
    put({"resourceType": "Practitioner", "id": "ines", "name": [{"text": "Dr. Ines Alvarado"}]})
    link = run(new_link(store, "http://testserver", who=INES))
    assert "recorded as done by Dr. Ines Alvarado" in visitor.get(link).text

"""Who has an access policy gets in, and sees what it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from threadwell.access.memberships import (
    Grant,
    Membership,
    keep_membership,
    keep_policy,
    remove_membership,
)
from threadwell.access.roles import role
from threadwell.inbox.sign_in import new_link
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore

WHO, AS = "Practitioner/bell", "PractitionerRole/bell"


@pytest.fixture(params=[WHO, AS])
def limited(
    request: Any,
    store: MemoryStore,
    put: Callable[..., None],
    practice: MemoryStore,
    visitor: Any,
    run: Callable[[Any], Any],
) -> Any:
    """A participant of no thread, signed in as themselves or by a role of theirs."""
    put({"resourceType": "Practitioner", "id": "bell", "name": [{"family": "Bell"}]})
    put({"resourceType": "PractitionerRole", "id": "bell", "practitioner": {"reference": WHO}})
    visitor.post(run(new_link(store, "http://testserver", who=request.param)))
    policy = run(keep_policy(store, DEFAULT_PROJECT, role("participant")))
    member = Membership(WHO, WHO, (Grant(policy["id"]),))
    run(keep_membership(store, DEFAULT_PROJECT, member))
    return visitor


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/reviews", 200),
        ("/quarantine", 200),
        ("/sessions/family", 404),
        ("/patients/lena", 200),
        ("/deliveries", 404),
    ],
)
def test_the_pages_show_what_is_theirs(limited: Any, path: str, status: int) -> None:
    answer = limited.get(path)
    assert answer.status_code == status
    assert "fever" not in answer.text.lower()
    assert "/sessions/family" not in answer.text


def test_who_is_freed_sees_all(limited: Any, store: MemoryStore, run: Any) -> None:
    run(remove_membership(store, DEFAULT_PROJECT, WHO))
    assert "/sessions/family" in limited.get("/").text

"""Who has an access policy does not get into pages that show all of a practice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.access.roles import role
from threadwell.inbox.sign_in import new_link
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore

WHO = "Practitioner/bell"


@pytest.mark.parametrize("path", ["/", "/reviews", "/quarantine", "/deliveries", "/news"])
def test_the_pages_are_closed(
    path: str,
    store: MemoryStore,
    put: Callable[..., None],
    visitor: Any,
    run: Callable[[Any], Any],
) -> None:
    put({"resourceType": "Practitioner", "id": "bell", "name": [{"family": "Bell"}]})
    visitor.post(run(new_link(store, "http://testserver", who=WHO)))
    policy = run(keep_policy(store, DEFAULT_PROJECT, role("participant")))
    member = Membership(WHO, WHO, (Grant(policy["id"]),))
    run(keep_membership(store, DEFAULT_PROJECT, member))
    answer = visitor.get(path)
    assert answer.status_code == 403
    assert "not for you" in answer.text

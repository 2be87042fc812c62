"""Who has an access policy gets in, and sees what it shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from threadwell.access.grants import keep_age
from threadwell.access.memberships import (
    Grant,
    Membership,
    keep_membership,
    keep_policy,
    remove_membership,
)
from threadwell.access.roles import role
from threadwell.fhir.json import decode
from threadwell.fhir.stamp import stamp
from threadwell.inbox.sign_in import new_link
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
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
    nothing = limited.get("/").text
    assert "You see what your access policy shows you" in nothing
    assert "threadwell import" not in nothing
    run(remove_membership(store, DEFAULT_PROJECT, WHO))
    assert "/sessions/family" in limited.get("/").text


def test_who_stands_for_two_sees_nothing_of_the_one_who_is_of_age(
    store: MemoryStore,
    practice: MemoryStore,
    visitor: Any,
    put: Callable[..., None],
    run: Callable[[Any], Any],
    make_message: Callable[..., Any],
) -> None:
    """A birth date that is put right makes them so, and the next page is without."""
    mother = "RelatedPerson/ana"
    sent = "2024-03-12T12:00:00Z"
    sleeps = make_message("m3", "rash", mother, sent, "She sleeps now.")
    coughs = make_message("m4", "rash", mother, sent, "He coughs.")
    put({**sleeps, "subject": {"reference": "Patient/lena"}})
    put({**coughs, "subject": {"reference": "Patient/tomas"}})
    visitor.post(run(new_link(store, "http://testserver", who=mother)))
    run(keep_policy(store, DEFAULT_PROJECT, {**role("proxy"), "id": "proxy"}))
    grants = [Grant("proxy", {"patient": f"Patient/{one}"}) for one in ("lena", "tomas")]
    run(keep_membership(store, DEFAULT_PROJECT, Membership(mother, mother, tuple(grants))))
    run(keep_age(store, DEFAULT_PROJECT, 18))
    born_in(run, store, "lena", 5)
    born_in(run, store, "tomas", 5)

    assert visitor.get("/sessions/own").status_code == 200
    page = visitor.get("/sessions/family").text
    assert all(words in page for words in ("a fever", "He coughs", "She sleeps"))
    born_in(run, store, "tomas", 30)
    assert visitor.get("/sessions/own").status_code == 404
    page = visitor.get("/sessions/family").text
    assert "She sleeps" in page
    # What names nobody, in a session about both, is about both.
    assert not any(words in page for words in ("a fever", "He coughs"))
    born_in(run, store, "lena", 30)
    assert visitor.get("/sessions/family").status_code == 404


def born_in(run: Callable[[Any], Any], store: MemoryStore, id_: str, years: int) -> None:
    """Somebody is so many years old."""
    before = run(store.read(DEFAULT_PROJECT, "Patient", id_))
    birth_date = f"{datetime.now(UTC).year - years - 1}"
    version = str(int(before.version_id) + 1)
    body = {**decode(before.body), "birthDate": birth_date}
    stamped, text = stamp(body, id_, version, 1_710_000_000_000)
    change = Write("Patient", id_, version, 1, stamped, text, before)
    run(store.commit(DEFAULT_PROJECT, ChangeSet((change,))))

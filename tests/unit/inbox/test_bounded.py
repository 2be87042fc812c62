"""What a page asks the store for, and gets, is the same however large the practice is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from threadwell.encounters import codes
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import stamp
from threadwell.inbox import counting
from threadwell.inbox.sign_in import new_link
from threadwell.intake.people.asked import keep_found_by_address
from threadwell.intake.todos.since import keep_since
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore

URL = "http://testserver"
#: Practices with as many sessions; both have more of everything than a page.
SMALL, LARGE = 210, 500
ME = "Practitioner/ines"
NOW = datetime.now(UTC)


class Counted(MemoryStore):
    """A store that counts what is asked of it, and what it gives."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, int] = {}

    def _note(self, name: str, given: int) -> None:
        self.asked[name] = self.asked.get(name, 0) + 1
        self.asked[f"{name}: given"] = self.asked.get(f"{name}: given", 0) + given

    async def read(self, *of: Any) -> Any:
        found = await super().read(*of)
        self._note("read", found is not None)
        return found

    async def read_many(self, *of: Any) -> Any:
        found = await super().read_many(*of)
        self._note("read_many", len(found))
        return found

    async def search(self, *of: Any) -> Any:
        found = await super().search(*of)
        # To count is one look at the index.
        if of[1].count != 0:
            self._note("search", len(found.matches))
        return found

    async def list_private(self, *of: Any, **more: Any) -> Any:
        found = await super().list_private(*of, **more)
        self._note("list_private", len(found))
        return found

    async def get_private_many(self, *of: Any) -> Any:
        found = await super().get_private_many(*of)
        self._note("get_private_many", len(found))
        return found


def _ref(name: str) -> dict[str, str]:
    return {"reference": name}


def _ago(number: int) -> str:
    return (NOW - timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _practice(sessions: int, of: Callable[..., Resource]) -> Iterator[Resource]:
    """Sessions of a patient each, which all wait; questions, and held messages."""
    yield {"resourceType": "Practitioner", "id": "ines", "name": [{"text": "Ines"}]}
    for number in range(sessions):
        start, patient = _ago(number), f"Patient/p{number:05}"
        name = [{"family": f"Name{number}", "given": ["Ana"]}]
        yield {"resourceType": "Patient", "id": patient[8:], "name": name}
        yield of("session", f"s{number:05}", patient, start)
        yield {**of("header", f"h{number:05}", f"s{number:05}", "Rash"), "sent": start}
        yield of("message", f"m{number:05}", f"h{number:05}", patient, start, "Is it bad?")
        task = {"resourceType": "Task", "intent": "order", "authoredOn": start}
        yield {
            **task,
            "id": f"w{number:05}",
            "status": "requested",
            "code": codes.task_code("respond"),
            "identifier": [{"system": codes.TODO, "value": str(number)}],
            "focus": _ref(f"Communication/h{number:05}"),
            **({"owner": _ref(ME)} if number % 2 else {}),
        }
        yield {
            **task,
            "id": f"q{number:05}",
            "status": "requested",
            "code": codes.task_code("review"),
            "focus": _ref(f"Encounter/s{number:05}"),
            "description": "Whom is it about?",
        }
        for id_, status in ((f"k{number:05}", "requested"), (f"d{number:05}", "rejected")):
            yield {
                **task,
                "id": id_,
                "status": status,
                "code": codes.task_code("quarantine"),
                "reasonCode": codes.reason("broken"),
                "description": "It could not be read as a message. file",
            }


@pytest.fixture(scope="module")
def stores() -> list[Counted]:
    return [Counted(), Counted()]


@pytest.fixture
def desks(
    stores: list[Counted],
    run: Any,
    new_browser: Callable[..., Any],
    make_session: Any,
    make_header: Any,
    make_message: Any,
) -> list[Any]:
    """Somebody who is signed in at both practices."""
    makes = {"session": make_session, "header": make_header, "message": make_message}

    async def fill(store: Counted, sessions: int) -> None:
        await keep_since(store, DEFAULT_PROJECT, 0)
        await keep_found_by_address(store, DEFAULT_PROJECT)
        writes = []
        for one in _practice(sessions, lambda kind, *how: makes[kind](*how)):
            stamped, body = stamp(one, one["id"], "1", 1_710_000_000_000)
            writes.append(Write(one["resourceType"], one["id"], "1", 1, stamped, body))
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))

    found = []
    for store, sessions in zip(stores, (SMALL, LARGE), strict=True):
        if run(store.read(DEFAULT_PROJECT, "Practitioner", "ines")) is None:
            run(fill(store, sessions))
        browser = new_browser(store)
        browser.post(run(new_link(store, URL, who=ME)))
        found.append(browser)
    return found


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?cursor=last",
        "/?status=open",
        "/?status=finished",
        "/?waiting=us",
        "/?waiting=mine",
        "/?waiting=mine&cursor=last",
        "/?waiting=nobodys",
        "/?review=1",
        "/?patient=p00003",
        "/?channel=email",
        "/sessions/s00003",
        "/sessions/s00003/about",
        "/sessions/s00003/split",
        "/sessions/s00003/messages/m00003",
        "/sessions/s00003/threads/h00003",
        "/patients/p00003",
        "/reviews",
        "/reviews?cursor=last",
        "/quarantine",
        "/quarantine?dismissed=1",
        "/quarantine/k00003",
        "/deliveries",
        "/find?in=messages",
        "/account",
    ],
)
def test_a_page_costs_what_it_shows(
    desks: list[Any], stores: list[Counted], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Numbers that took long are kept for a while; here they are counted each time.
    monkeypatch.setattr(counting, "_KEPT", 0)
    asked = []
    for browser, store in zip(desks, stores, strict=True):
        browser.get(path)
        store.asked.clear()
        assert browser.get(path).status_code in (200, 303)
        asked.append(dict(store.asked))
    assert asked[1] == asked[0]

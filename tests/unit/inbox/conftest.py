"""A small practice, written as FHIR into a store in memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

import in_process
from threadwell import zones
from threadwell.app import channels
from threadwell.audit.trail import Trail
from threadwell.encounters import codes
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import stamp
from threadwell.inbox.app import create_pages
from threadwell.inbox.sign_in import new_link
from threadwell.intake import Settings, import_messages
from threadwell.intake.care_zone import keep_care_zone
from threadwell.intake.seat import Seat
from threadwell.messages import Address, AddressKind, Message
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Stored, Write
from threadwell.stores.memory import MemoryStore

URL = "http://testserver"


def ref(to: str) -> dict[str, str]:
    return {"reference": to}


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return in_process.run(work)


@pytest.fixture(name="run")
def run_fixture() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """The outcome of a coroutine."""
    return run


async def write(
    store: MemoryStore,
    *resources: Resource,
    content: bytes | None = None,
    before: Stored | None = None,
) -> None:
    """Commit the resources under the ids that they have."""
    version = "2" if before else "1"
    for resource in resources:
        stamped, body = stamp(resource, resource["id"], version, 1_710_000_000_000)
        change = Write(
            *(resource["resourceType"], resource["id"], version, 1, stamped, body, before),
            content=content,
        )
        await store.commit(DEFAULT_PROJECT, ChangeSet((change,)))


def patient(id_: str, given: str, family: str) -> Resource:
    name = {"given": [given], "family": family}
    return {"resourceType": "Patient", "id": id_, "name": [name], "birthDate": "2016-05-01"}


def session(id_: str, subject: str, start: str, **more: Any) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": id_,
        "status": "in-progress",
        "class": codes.VIRTUAL,
        "type": [{"coding": [codes.SESSION_TAG]}],
        "subject": ref(subject),
        "period": {"start": start},
        **more,
    }


def medical(id_: str, subject: str, of: str) -> Resource:
    return session(id_, subject, "2024-03-12T11:58:00Z", partOf=ref(f"Encounter/{of}"))


def header(id_: str, encounter: str, topic: str, channel: str = "email") -> Resource:
    return {
        "resourceType": "Communication",
        "id": id_,
        "identifier": [{"system": codes.THREAD + channel, "value": id_}],
        "status": "in-progress",
        "topic": {"text": topic},
        "encounter": ref(f"Encounter/{encounter}"),
        "sender": ref("RelatedPerson/ana"),
        "recipient": [ref("RelatedPerson/ana"), ref("Practitioner/ines")],
    }


def message(id_: str, of: str, sender: str, sent: str, text: str, **more: Any) -> Resource:
    return {
        "resourceType": "Communication",
        "id": id_,
        "partOf": [ref(f"Communication/{of}")],
        "status": "completed",
        "sender": ref(sender),
        "sent": sent,
        "payload": [{"contentString": text}],
        "identifier": [{"system": f"{codes.MESSAGE}email", "value": id_}],
        **more,
    }


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def put(store: MemoryStore) -> Callable[..., None]:
    def put(
        *resources: Resource, content: bytes | None = None, before: Stored | None = None
    ) -> None:
        run(write(store, *resources, content=content, before=before))

    return put


@pytest.fixture
def practice(store: MemoryStore, put: Callable[..., None]) -> MemoryStore:
    """A mother writes about her two children; one child also has a session of his own."""
    put(
        patient("lena", "Lena", "Prado"),
        patient("tomas", "Tomás", "Prado"),
        {
            "resourceType": "RelatedPerson",
            "id": "ana",
            "patient": ref("Patient/lena"),
            "name": [{"text": "Ana Prado"}],
            "relationship": [{"coding": [{"code": "MTH", "display": "mother"}]}],
        },
        {"resourceType": "Practitioner", "id": "ines", "name": [{"text": "Dr. Ines Alvarado"}]},
        {
            "resourceType": "Group",
            "id": "both",
            "type": "person",
            "actual": True,
            "member": [{"entity": ref("Patient/lena")}, {"entity": ref("Patient/tomas")}],
        },
        session("family", "Group/both", "2024-03-12T11:58:00Z"),
        session("own", "Patient/tomas", "2024-03-01T10:00:00Z", status="finished"),
        session("old", "Patient/lena", "2024-02-01T10:00:00Z", status="entered-in-error"),
        medical("medical-lena", "Patient/lena", "family"),
        medical("medical-tomas", "Patient/tomas", "family"),
        header("rash", "family", "Fever and rash"),
        message(
            "m1",
            "rash",
            "RelatedPerson/ana",
            "2024-03-12T11:58:00Z",
            "Lena has a fever <b>since</b> last night.",
        ),
        message(
            "m2",
            "rash",
            "Practitioner/ines",
            "2024-03-13T03:30:00Z",
            "Keep her warm.\n> quoted",
            payload=[
                {
                    "contentString": "Keep her warm.\n> quoted",
                    "extension": [{"url": codes.EXT_NEW_TEXT, "valueString": "Keep her warm."}],
                }
            ],
        ),
    )
    return store


class Browser:
    """Asks the pages for one URL after the other and keeps their cookies."""

    def __init__(self, store: MemoryStore, url: str = URL) -> None:
        self.trail = Trail(store)
        app = create_pages(store, base_url=url, channels=channels(), trail=self.trail)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url)

    def get(self, url: str) -> httpx.Response:
        return self.request("GET", url)

    def post(self, url: str, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
        return self.request("POST", url, data=form, headers=headers)

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        return run(self.client.request(method, url, **more))

    @property
    def cookies(self) -> httpx.Cookies:
        """Those that it keeps."""
        return self.client.cookies


@pytest.fixture
def visitor(store: MemoryStore) -> Browser:
    """A browser that is not signed in."""
    return Browser(store)


@pytest.fixture
def browser(store: MemoryStore, visitor: Browser) -> Browser:
    """A browser that is signed in."""
    visitor.post(run(new_link(store, URL)))
    return visitor


@pytest.fixture
def new_visitor(store: MemoryStore) -> Callable[[str], Browser]:
    """Makes a browser that is not signed in, and reaches the pages at a URL."""
    return lambda url: Browser(store, url)


@pytest.fixture
def new_browser() -> Callable[[MemoryStore], Browser]:
    """Makes a browser that is not signed in, for the pages over a store."""
    return Browser


@pytest.fixture
def sign_in_link(store: MemoryStore) -> str:
    return run(new_link(store, URL))


@pytest.fixture
def make_message() -> Callable[..., Resource]:
    return message


@pytest.fixture
def make_header() -> Callable[..., Resource]:
    return header


@pytest.fixture
def make_session() -> Callable[..., Resource]:
    return session


@pytest.fixture
def keep_zone(store: MemoryStore) -> Callable[[str], None]:
    def keep(name: str) -> None:
        run(keep_care_zone(store, zones.current().data.zone(name)))

    return keep


OFFICE = Address(AddressKind.PHONE, "+12125550100")
MOTHER = Address(AddressKind.PHONE, "+12125550122")
PHONE = [{"system": "phone", "value": MOTHER.value}]


class Family:
    """Rosa writes of two of her three children; Ada is another patient."""

    def __init__(self, store: Any, put: Any, run: Any) -> None:
        self._store, self._run, self._put = store, run, put
        for given in ("Leo", "Mia", "Tom", "Ada"):
            id_ = given.lower()
            put({"resourceType": "Patient", "id": id_, "name": [{"given": [given]}]})
        for id_ in ("leo", "mia", "tom"):
            child = {"reference": f"Patient/{id_}"}
            put(
                {
                    "resourceType": "RelatedPerson",
                    "id": f"of-{id_}",
                    "patient": child,
                    "telecom": PHONE,
                }
            )
        self.take(("a", "08:00", "Leo has a fever"), ("b", "08:10", "Mia coughs"))

    def take(self, *messages: tuple[str, str, str], day: str = "2024-03-08") -> None:
        made = [
            Message(
                *("sms_backup", id_, MOTHER, (OFFICE,)),
                datetime.fromisoformat(f"{day} {time}").replace(tzinfo=UTC),
                *(text, text, MOTHER.value),
                medium="SMSWRIT",
            )
            for id_, time, text in messages
        ]
        settings = Settings(owner=(OFFICE,))
        self._run(import_messages(Seat(self._store, DEFAULT_PROJECT, settings), made))

    def all(self, type_: str) -> list[dict[str, Any]]:
        page = self._run(self._store.search(DEFAULT_PROJECT, Query(type_, count=100)))
        found = [decode(one.body) for one in page.matches]
        return [one for one in found if one.get("status") != "entered-in-error"]

    @property
    def session(self) -> str:
        (one,) = [e for e in self.all("Encounter") if "partOf" not in e]
        return str(one["id"])

    @property
    def path(self) -> str:
        return f"/sessions/{self.session}/about"

    def message(self, id_: str) -> dict[str, Any]:
        (one,) = [
            c
            for c in self.all("Communication")
            if "partOf" in c and c["identifier"][0]["value"] == id_
        ]
        return one

    def subjects(self) -> dict[str, str]:
        """Whom each message is about."""
        whom = {id_: self.message(id_).get("subject", {}).get("reference", "") for id_ in "ab"}
        return {id_: name.removeprefix("Patient/") for id_, name in whom.items()}


@pytest.fixture
def family(store: Any, put: Any, run: Any) -> Family:
    return Family(store, put, run)


@pytest.fixture
def browser_as(
    store: MemoryStore, put: Callable[..., None], new_visitor: Callable[[str], Browser]
) -> Callable[[str], Browser]:
    """Makes a browser in which a practitioner of that id and name is signed in."""

    def browser_as(id_: str, name: str) -> Browser:
        put({"resourceType": "Practitioner", "id": id_, "name": [{"text": name}]})
        browser = new_visitor(URL)
        browser.post(run(new_link(store, URL, who=f"Practitioner/{id_}")))
        return browser

    return browser_as

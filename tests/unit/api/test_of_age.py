"""A mother stands for two children. On a day in May one of them is of age: at midnight, while the
server runs and nobody does anything, what is about that one is no longer hers, by whatever way.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.api.test_subscriptions import open_line
from threadwell import zones
from threadwell.access.memberships import Grant, Membership, Policies, find_membership
from threadwell.access.roles import role
from threadwell.api.clients import add_client, choose_age, give, set_policy
from threadwell.intake.care_zone import keep_care_zone
from threadwell.stores.contract import DEFAULT_PROJECT as PROJECT

ZONE = "America/New_York"
#: The last second of the third of May there, and the first one of the fourth.
EVE, MORNING = (
    int(datetime.fromisoformat(f"2026-05-04T{at}").replace(tzinfo=UTC).timestamp() * 1000)
    for at in ("03:59:59", "04:00:00")
)
BYTES = base64.b64encode(b"a picture").decode()


class Family:
    """Leo and Mia, their mother, and threads about each and both; ``names`` are references."""

    def __init__(self, api: Any) -> None:
        self.api = api
        api.clock.now = EVE
        api.run(keep_care_zone(api.store, zones.current().data.zone(ZONE)))
        self.names: dict[str, str] = {}
        self.make("leo", "Patient", birthDate="2008-05-04")
        self.make("mia", "Patient", birthDate="2015-01-01")
        self.make("mother", "RelatedPerson", patient=self.ref("mia"))
        self.make("bell", "Practitioner")
        members = [{"entity": self.ref(one)} for one in ("leo", "mia")]
        self.make("both", "Group", type="person", actual=True, member=members)
        for about in ("leo", "mia", "both"):
            self.thread(about)
        for about in ("leo", "mia"):
            self.message(f"both-{about}", "both", about)
            self.make(
                f"both-care-{about}",
                "Encounter",
                **self.care(about),
                partOf=self.ref("both-session"),
            )
        self.admin = api.basic
        self.register()

    def register(self) -> None:
        """An app of the mother's, with a policy for each child."""
        api = self.api
        made = api.run(add_client(api.store, "app"))
        self.who = f"ClientApplication/{made.client_id}"
        self.hers = api.credentials(made.client_id, made.client_secret)
        writes = [{"resourceType": "Subscription"}, {"resourceType": "Group", "readonly": True}]
        policy = {**role("proxy"), "id": "proxy"}
        policy["resource"] = [*policy["resource"], *writes]
        api.run(set_policy(api.store, PROJECT, policy))
        self.give(*(Grant("proxy", {"patient": self.names[one]}) for one in ("leo", "mia")))
        api.run(choose_age(api.store, PROJECT, 18))

    def give(self, *grants: Grant) -> None:
        member = Membership(self.who, self.names["mother"], grants)
        self.api.run(give(self.api.store, PROJECT, member))

    def ref(self, name: str) -> dict[str, str]:
        return {"reference": self.names[name]}

    def make(self, name: str, type_: str, **members: Any) -> None:
        self.names[name] = f"{type_}/{self.api.make(type_, **members)['id']}"

    def care(self, about: str) -> dict[str, Any]:
        kind = {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "VR",
        }
        return {"status": "finished", "class": kind, "subject": self.ref(about)}

    def thread(self, about: str) -> None:
        self.make(f"{about}-session", "Encounter", **self.care(about))
        self.make(
            f"{about}-thread",
            "Communication",
            status="in-progress",
            subject=self.ref(about),
            encounter=self.ref(f"{about}-session"),
            **self.between(),
        )
        self.message(f"{about}-said", about, about)

    def message(self, name: str, thread: str, about: str) -> None:
        self.make(f"{name}-file", "Binary", contentType="text/plain", data=BYTES)
        attached = {"contentType": "text/plain", "url": self.names[f"{name}-file"]}
        self.make(
            name,
            "Communication",
            status="completed",
            subject=self.ref(about),
            partOf=[self.ref(f"{thread}-thread")],
            payload=[{"contentAttachment": attached}],
            **self.between(),
        )

    def between(self) -> dict[str, Any]:
        return {"sender": self.ref("mother"), "recipient": [self.ref("bell")]}

    def ask(self, path: str, body: Any = None, method: str = "GET") -> Any:
        return self.api.call(method, path, body, authorization=self.hers)

    def seen(self) -> set[str]:
        """The names of all that she reads by its id; what searches and histories find is that."""
        read = {name for name, one in self.names.items() if self.ask(one).status_code == 200}
        for type_ in ("Communication", "Encounter", "Patient"):
            mine = {name for name in read if self.names[name].startswith(f"{type_}/")}
            found = self.ask(f"{type_}?_count=100&_total=accurate").json()
            told = {f"{type_}/{one['resource']['id']}" for one in found.get("entry", ())}
            assert told == {self.names[name] for name in mine}
            assert found["total"] == len(mine)
            past = self.ask(f"{type_}/_history?_count=100").json().get("entry", ())
            assert {f"{type_}/{one['resource']['id']}" for one in past} == told
            asked = {"query": f"{{ {type_}List(_count: 100) {{ id }} }}"}
            listed = self.ask("$graphql", asked, "POST").json()["data"][f"{type_}List"]
            assert {f"{type_}/{one['id']}" for one in listed} == told
        for name, one in self.names.items():
            there = self.ask(f"{one}/_history").status_code == 200
            assert there is (name in read), name
        return read


@pytest.fixture
def family(api: Any) -> Family:
    return Family(api)


_CHILDREN = {
    *("leo", "mia", "mother", "bell", "both", "both-thread", "both-session"),
    *("both-said", "both-said-file"),
    *(f"both-{one}{what}" for one in ("leo", "mia") for what in ("", "-file")),
    *(f"both-care-{one}" for one in ("leo", "mia")),
    *(
        f"{one}-{what}"
        for one in ("leo", "mia")
        for what in ("thread", "session", "said", "said-file")
    ),
}
#: What is about both of them is about the one who is of age, too.
_LEOS = {
    *("leo", "both", "leo-thread", "leo-session", "leo-said", "leo-said-file"),
    *("both-leo", "both-leo-file", "both-said", "both-said-file", "both-care-leo"),
}


def test_at_midnight_what_is_about_the_one_who_is_of_age_is_gone(family: Family) -> None:
    api = family.api
    assert family.seen() == _CHILDREN
    files = [
        family.ask(family.names[name]).json()["payload"][0]["contentAttachment"]["url"]
        for name in ("leo-said", "both-leo", "mia-said", "both-mia")
    ]
    assert [api.call("GET", url, authorization=None).status_code for url in files] == [200] * 4
    api.clock.now = MORNING
    assert [api.call("GET", url, authorization=None).status_code for url in files] == [
        *(403, 403, 200, 200)
    ]
    assert family.seen() == _CHILDREN - _LEOS
    # She writes to nobody in the thread of the one, and goes on in that of the other.
    assert [
        family.ask(
            "Communication",
            {
                "resourceType": "Communication",
                "status": "preparation",
                "subject": family.ref(about),
                "partOf": [family.ref(f"{about}-thread")],
                **family.between(),
            },
            "POST",
        ).status_code
        for about in ("leo", "mia")
    ] == [403, 201]


def test_a_birth_date_that_is_put_right_holds_for_the_next_request(family: Family) -> None:
    leo = family.names["leo"]
    for birth_date, theirs in (("2008-05-03", False), ("2008-05-05", True), ("2008", False)):
        body = {"resourceType": "Patient", "id": leo[8:], "birthDate": birth_date}
        assert family.api.call("PUT", leo, body).status_code == 200
        assert (family.ask(family.names["leo-said"]).status_code == 200) is theirs


def test_an_age_that_is_chosen_or_not_and_a_grant_with_a_day_of_its_own(family: Family) -> None:
    api, store = family.api, family.api.store
    said = family.names["leo-said"]
    api.clock.now = MORNING
    assert family.ask(said).status_code == 404
    for years, status in ((19, 200), (18, 404), (0, 200)):
        api.run(choose_age(store, PROJECT, years))
        api.clock.now += 1000
        assert family.ask(said).status_code == status, years
    api.run(choose_age(store, PROJECT, 12))
    leo = Grant("proxy", {"patient": family.names["leo"]}, until=MORNING + 60_000)
    family.give(leo)
    api.clock.now += 1000
    assert family.ask(said).status_code == 200
    # That day comes without anybody doing anything, too: at once.
    api.clock.now = MORNING + 59_999
    assert family.ask(said).status_code == 200
    api.clock.now = MORNING + 60_000
    assert family.ask(said).status_code == 403


def test_the_patient_comes_in_on_the_same_day(family: Family) -> None:
    api, leo = family.api, family.names["leo"]
    api.run(set_policy(api.store, PROJECT, {**role("patient"), "id": "patient"}))
    grant = Grant("patient", {}, from_age=True)
    api.run(give(api.store, PROJECT, Membership(family.who, leo, (grant,))))
    session = family.names["leo-session"]
    assert family.ask(session).status_code == 403
    api.clock.now = MORNING
    assert family.ask(session).status_code == 200
    assert family.ask(family.names["mia-session"]).status_code == 404


def test_an_export_that_was_made_on_the_eve_is_not_hers_in_the_morning(family: Family) -> None:
    """It is there while this stays as it was when it was made."""
    api = family.api
    policies = Policies(api.store, PROJECT)
    marks = [api.run(policies.mark(family.who, at)) for at in (EVE - 1000, EVE, MORNING)]
    assert marks[0] == marks[1] != marks[2]


def test_a_url_of_a_file_that_is_written_back_is_the_file(family: Family) -> None:
    said = family.names["mia-said"]
    shown = family.ask(said).json()
    url = shown["payload"][0]["contentAttachment"]["url"]
    # For another than whom it was made it opens nothing.
    assert "&For=" in url
    for other in (url.replace("&For=", "&For=x"), url.replace("&For=", "&Of=")):
        assert family.api.call("GET", other, authorization=None).status_code == 403
    put = family.ask(said, shown, "PUT")
    assert put.status_code == 200, put.text
    stored = family.api.run(family.api.store.read(PROJECT, *said.split("/")))
    attachment = json.loads(stored.body)["payload"][0]["contentAttachment"]
    assert attachment["url"] == family.names["mia-said-file"]


def test_an_administrator_gives_the_policy_for_two_children(family: Family) -> None:
    """As Medplum's ``access``; from when and until when each holds stays as it was."""
    api = family.api
    until = Grant("proxy", {"patient": family.names["leo"]}, until=MORNING + 60_000)
    early = Grant("proxy", {"patient": family.names["mia"]}, age=11)
    family.give(until, early)
    admin = api.run(add_client(api.store, "admin", admin=True))
    basic = api.credentials(admin.client_id, admin.client_secret)
    found = api.call("GET", "ProjectMembership?_count=50", authorization=basic).json()
    mine = next(
        one["resource"]
        for one in found["entry"]
        if one["resource"]["profile"]["reference"] == family.who
    )
    assert len(mine["access"]) == 2
    path = f"ProjectMembership/{mine['id']}"
    put = api.call("PUT", path, mine, authorization=basic)
    assert put.status_code == 200, put.text
    kept = api.run(find_membership(api.store, PROJECT, family.who))
    assert kept.grants == (until, early)


def test_who_listens_hears_no_more_of_it(family: Family) -> None:
    api = family.api
    api.basic = family.hers
    names = family.names

    async def written(about: str) -> str:
        body = {
            "resourceType": "Communication",
            "status": "completed",
            "subject": family.ref(about),
            "partOf": [family.ref(f"{about}-thread")],
            **family.between(),
        }
        made = await api.send("POST", "Communication", body, authorization=family.admin)
        return str(made.json()["id"])

    async def scene() -> None:
        async with open_line(api) as line:
            await line.bind("Communication?status=completed")
            one = await written("leo")
            await line.until(lambda: len(line.told()) == 1)
            api.clock.now = MORNING
            # What was found on the eve is told by what is theirs in the morning.
            await written("leo")
            await written("leo")
            two = await written("mia")
            await line.until(lambda: len(line.told()) == 2)
            assert [id_ for id_, _ in line.told()] == [one, two]
            assert names["leo"] not in json.dumps(line.frames[-1])

    api.run(scene())

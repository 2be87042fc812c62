"""Which threads wait for an answer, and who takes care of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from threadwell.app import open_store
from threadwell.encounters.todo import todo_identity
from threadwell.fhir.json import decode
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import (
    BadTodo,
    Intake,
    Taken,
    close_session,
    merge_patients,
    recut,
    reopen_session,
)
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings
from threadwell.intake.todos.acting import claim, dismiss, release, reroute
from threadwell.intake.todos.listing import todo_of_thread, waiting_threads
from threadwell.intake.tracking import Tracking
from threadwell.messages.automatic import AUTOMATIC_REPLY
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore

P = DEFAULT_PROJECT
ANA = "+12125550111"


@pytest.fixture
def tracked(practice):
    """The practice, whose threads are looked after, with Dana and Nils."""
    practice.settings = replace(practice.settings, tracking=Tracking(0))
    practice.put("Practitioner", "dana", name=[{"given": ["Dana"], "family": "Ruiz"}])
    practice.put("Practitioner", "nils", name=[{"text": "Nils Berg"}])
    return practice


def todo(practice) -> Any:
    found = [
        one
        for one in practice.all("Task")
        if one["code"]["coding"][0]["code"] == "respond" and one["status"] != "entered-in-error"
    ]
    assert len(found) <= 1
    return found[0] if found else None


def state(practice) -> str:
    """``-``, ``waits HH:MM`` or what has ended it."""
    task = todo(practice)
    if task is None:
        return "-"
    if task["status"] != "completed":
        return f"waits {task['authoredOn'][11:16]}"
    return f"{task['businessStatus']['coding'][0]['code']} {task['executionPeriod']['end'][11:16]}"


IN, OUT = False, True
CASES = {
    "nobody has written": ([], "-"),
    "the practice writes": ([("09:00", OUT, "hello")], "-"),
    "a message waits": ([("09:00", IN, "hello")], "waits 09:00"),
    "the first of several": ([("09:00", IN, "one"), ("09:05", IN, "two")], "waits 09:00"),
    "an answer": ([("09:00", IN, "one"), ("09:05", OUT, "two")], "answered 09:05"),
    "the first answer": (
        [("09:00", IN, "one"), ("09:05", OUT, "two"), ("09:06", OUT, "three")],
        "answered 09:05",
    ),
    "another one after the answer": (
        [("09:00", IN, "one"), ("09:05", OUT, "two"), ("09:30", IN, "three")],
        "waits 09:30",
    ),
    "a question of the practice": ([("09:00", OUT, "one"), ("09:05", IN, "two")], "waits 09:05"),
    "a reaction": ([("09:00", IN, "Liked “See you at three”")], "-"),
    "a reaction to a picture": ([("09:00", IN, "Loved an image")], "-"),
    "a reaction of another phone": ([("09:00", IN, "👍 to “See you”")], "-"),
    **{
        f"a reaction in another language: {said}": ([("09:00", IN, said)], "-")
        for said in (
            *("Gefällt „Bis drei“", "Le gustó “Hasta luego”", "Le dio risa “Hasta luego”"),
            *("Exclamó por “Hasta luego”", "Dudó sobre “Hasta luego”", "Le encantó una imagen"),
            *("Reaccionó con 😂 a “Hasta luego”", "A aimé « À demain »"),
        )
    },
    "words of an image": ([("09:00", IN, "le dio risa la imagen")], "waits 09:00"),
    "one taken back": ([("09:00", IN, "Removed a like from “See you”")], "-"),
    "a thumb": ([("09:00", IN, "👍🏽")], "-"),
    "words that begin like one": ([("09:00", IN, "Liked the new doctor")], "waits 09:00"),
    "words with a quotation": ([("09:00", IN, "You said “at three”, right?")], "waits 09:00"),
    "STOP": ([("09:00", IN, "Stop.")], "-"),
    "START": ([("09:00", IN, "START")], "-"),
    "HELP is for people": ([("09:00", IN, "HELP")], "waits 09:00"),
    "YES is for people": ([("09:00", IN, "yes")], "waits 09:00"),
    "a reaction does not end it": (
        [("09:00", IN, "one"), ("09:01", IN, "Liked “one”")],
        "waits 09:00",
    ),
    "a thumb of the practice is no answer": (
        [("09:00", IN, "one"), ("09:01", OUT, "👍")],
        "waits 09:00",
    ),
}


@pytest.mark.parametrize(("said", "expected"), CASES.values(), ids=CASES.keys())
def test_what_waits_follows_from_the_messages(tracked, sms, said, expected) -> None:
    messages = [sms(str(at), time, text, out=out) for at, (time, out, text) in enumerate(said)]
    tracked.take(*messages)
    assert state(tracked) == expected
    # Read again out of the store, it is the same.
    tracked.run(recut(tracked.seat()))
    assert state(tracked) == expected


def test_an_automatic_reply_neither_asks_nor_answers(tracked, sms) -> None:
    tracked.take(replace(sms("1", "09:00"), notes=(AUTOMATIC_REPLY,)))
    assert state(tracked) == "-"
    tracked.take(sms("2", "09:10"), replace(sms("3", "09:11", out=True), notes=(AUTOMATIC_REPLY,)))
    assert state(tracked) == "waits 09:10"


def test_what_was_before_is_no_matter(tracked, sms) -> None:
    since = int(datetime(2024, 4, 10, 9, 30, tzinfo=UTC).timestamp() * 1_000_000)
    tracked.settings = replace(tracked.settings, tracking=Tracking(since))
    tracked.take(sms("1", "09:00"))
    assert state(tracked) == "-"
    tracked.take(sms("2", "09:40"))
    assert state(tracked) == "waits 09:40"


def test_every_order_ends_with_the_same(tracked, sms) -> None:
    said = [
        sms("a", "09:00", "one"),
        sms("b", "09:10", "Two", out=True),
        sms("c", "10:00", "three"),
        sms("d", "10:01", "four"),
        sms("e", "11:00", "Five", out=True),
    ]
    people = [
        (one["resourceType"], one)
        for type_ in ("Patient", "Practitioner")
        for one in tracked.all(type_)
    ]
    outcomes = set()
    for number, order in enumerate(permutations(said)):
        tracked.store = MemoryStore()
        for type_, one in people:
            tracked.put(
                type_, one["id"], **{k: v for k, v in one.items() if k not in ("id", "meta")}
            )
        if number % 2:
            intake = Intake(
                tracked.store, P, lambda: _now(tracked.settings), clock=lambda: tracked.now
            )

            async def take(messages: Any = order, intake: Any = intake) -> None:
                for one in messages:
                    await intake.take([one, one])

            tracked.run(take())
        else:
            for one in order:
                tracked.take(one)
        task = todo(tracked)
        del task["meta"]
        outcomes.add(repr(sorted(task.items())))
    assert len(outcomes) == 1


async def _now(settings: Any) -> Any:
    return settings


def test_a_task_tells_who_waits_for_what(tracked, sms) -> None:
    tracked.take(sms("1", "09:00"))
    [one] = tracked.run(waiting_threads(tracked.store, P))
    [header] = [c for c in tracked.live("Communication") if "partOf" not in c]
    [child] = [c for c in tracked.live("Communication") if "partOf" in c]
    assert (one.thread, one.message) == (
        f"Communication/{header['id']}",
        f"Communication/{child['id']}",
    )
    assert (one.subject, one.status, one.owner) == ("Patient/ana", "requested", "")
    assert (one.since, one.due) == ("2024-04-10T09:00:00Z", "2024-04-11T09:00:00Z")
    assert one.task == f"Task/{todo_identity(f'sms_backup|{ANA}|Patient/ana').id}"
    assert tracked.run(todo_of_thread(tracked.store, P, one.thread)) == one


def test_a_person_claims_and_the_answer_completes(tracked, sms) -> None:
    tracked.take(sms("1", "09:00"))
    task = f"Task/{todo(tracked)['id']}"
    done = act(tracked, claim, task, "Practitioner/dana")
    assert (done.status, done.owner, done.changed) == ("accepted", "Practitioner/dana", True)
    assert not act(tracked, claim, task, "Practitioner/dana").changed
    with pytest.raises(Taken, match="Dana Ruiz"):
        act(tracked, claim, task, "Practitioner/nils")
    tracked.take(sms("2", "09:05"))
    assert todo(tracked)["owner"]["reference"] == "Practitioner/dana"
    tracked.take(sms("3", "09:10", out=True))
    assert (state(tracked), todo(tracked)["owner"]["display"]) == ("answered 09:10", "Dana Ruiz")
    tracked.take(sms("4", "09:20"))
    assert (state(tracked), "owner" in todo(tracked)) == ("waits 09:20", False)
    assert tracked.run(waiting_threads(tracked.store, P, unowned=True))
    assert not tracked.run(waiting_threads(tracked.store, P, owner="Practitioner/dana"))


def test_what_was_answered_while_others_came_is_another_matter(tracked, sms) -> None:
    tracked.take(sms("1", "09:00"))
    act(tracked, claim, f"Task/{todo(tracked)['id']}", "Practitioner/dana")
    tracked.take(sms("2", "09:10", out=True), sms("3", "09:20"))
    assert (state(tracked), "owner" in todo(tracked)) == ("waits 09:20", False)


def test_a_late_message_leaves_the_task_to_its_owner(tracked, sms) -> None:
    tracked.take(sms("2", "09:10"))
    act(tracked, claim, f"Task/{todo(tracked)['id']}", "Practitioner/dana")
    tracked.take(sms("1", "09:00"))
    assert (state(tracked), todo(tracked)["status"]) == ("waits 09:00", "accepted")


def test_it_is_given_to_others_with_the_reason(tracked, sms) -> None:
    tracked.take(sms("1", "09:00"))
    task = f"Task/{todo(tracked)['id']}"
    act(tracked, claim, task, "Practitioner/dana")
    act(tracked, reroute, task, owner="Practitioner/nils", why="A question about a bill")
    now = todo(tracked)
    assert (now["status"], now["owner"]["reference"]) == ("requested", "Practitioner/nils")
    assert now["note"][-1]["text"] == "A question about a bill"
    act(tracked, claim, task, "Practitioner/nils")
    act(tracked, release, task, why="Off for today")
    assert "owner" not in todo(tracked)
    told = [one["activity"]["coding"][0]["code"] for one in tracked.all("Provenance")]
    assert told == ["claim", "reroute", "claim", "release"]
    assert not act(tracked, release, task).changed


def test_what_needs_no_answer_is_dismissed_until_more_comes(tracked, sms) -> None:
    tracked.take(sms("1", "09:00", "Thanks"))
    task = f"Task/{todo(tracked)['id']}"
    act(tracked, dismiss, task, why="They only thank us")
    assert todo(tracked)["status"] == "completed"
    assert todo(tracked)["statusReason"]["text"] == "They only thank us"
    tracked.take(sms("0", "08:50"))
    assert todo(tracked)["status"] == "completed"
    for refused in (dismiss, release):
        with pytest.raises(BadTodo, match="is over"):
            act(tracked, refused, task, why="again")
    later = sms("2", "09:00")
    tracked.take(replace(later, sent=datetime(2024, 6, 1, 8, tzinfo=UTC)))
    assert todo(tracked)["authoredOn"] == "2024-06-01T08:00:00Z"
    # What was dismissed stays so.
    tracked.run(recut(tracked.seat()))
    assert todo(tracked)["authoredOn"] == "2024-06-01T08:00:00Z"


@pytest.mark.parametrize("status", ["completed", "cancelled", "rejected"])
def test_whoever_ends_the_task_over_fhir_says_the_same(tracked, sms, status) -> None:
    tracked.take(sms("1", "09:00"))
    task = todo(tracked)
    tracked.put("Task", task["id"], **{**rest(task), "status": status})
    tracked.take(sms("0", "08:50"))
    assert todo(tracked)["status"] == status
    later = replace(sms("2", "09:00"), sent=datetime(2024, 6, 1, 8, tzinfo=UTC))
    tracked.take(later)
    assert (todo(tracked)["status"], todo(tracked)["authoredOn"]) == (
        "requested",
        "2024-06-01T08:00:00Z",
    )


def test_a_closed_session_waits_no_more_until_it_is_reopened(tracked, sms) -> None:
    tracked.now = int(datetime(2024, 4, 10, 9, 30, tzinfo=UTC).timestamp() * 1000)
    tracked.take(sms("1", "09:00"))
    [session] = tracked.live("Encounter")
    for do, expected in ((close_session, "closed 09:30"), (reopen_session, "waits 09:00")):
        tracked.run(do(tracked.seat(), f"Encounter/{session['id']}"))
        assert state(tracked) == expected
        tracked.now += 60_000


def test_a_session_that_ends_by_silence_still_waits(tracked, sms) -> None:
    tracked.take(sms("1", "09:00"))
    assert tracked.live("Encounter")[0]["status"] == "finished"
    assert state(tracked) == "waits 09:00"


def test_an_answer_that_is_taken_back_is_none(tracked, sms) -> None:
    tracked.take(sms("1", "09:00"), sms("2", "09:10", out=True))
    assert state(tracked) == "answered 09:10"
    [answer] = [c for c in tracked.live("Communication") if c.get("sent") == "2024-04-10T09:10:00Z"]
    tracked.put("Communication", answer["id"], **{**rest(answer), "status": "entered-in-error"})
    tracked.take()
    assert state(tracked) == "waits 09:00"


def test_a_task_that_somebody_deletes_is_made_anew(tracked, sms) -> None:
    tracked.take(sms("1", "09:00"))
    tracked.delete(todo(tracked))
    tracked.take(sms("2", "09:10"))
    assert state(tracked) == "waits 09:00"


def test_merged_patients_leave_their_task_to_the_other(tracked, sms) -> None:
    tracked.patient("old", "+12125550177", given="Ana")
    tracked.take(sms("1", "09:00", phone="+12125550177"))
    act(tracked, claim, f"Task/{todo(tracked)['id']}", "Practitioner/dana")
    tracked.run(merge_patients(tracked.seat(), "Patient/old", "Patient/ana"))
    now = todo(tracked)
    assert (now["for"]["reference"], now["status"]) == ("Patient/ana", "accepted")
    assert now["owner"]["reference"] == "Practitioner/dana"


def rest(resource: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in resource.items() if k not in ("id", "meta", "resourceType")}


def act(practice, what: Any, *given: Any, **more: Any) -> Any:
    return practice.run(what(practice.seat(), *given, **more))


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgres"])
def test_of_many_who_claim_at_once_one_has_it(kind, tmp_path, request) -> None:
    url = {"memory": ":memory:", "sqlite": str(tmp_path / "x.db")}.get(kind)
    url = url or request.getfixturevalue("postgres_url")

    async def race() -> None:
        stores = [open_store(url)]
        if kind != "memory":
            stores += [open_store(url) for _ in range(3)]
        await seed(stores[0])
        seats = [Seat(store, P, Settings()) for store in stores]
        for task in ("t1", "t2", "t3"):
            tries = [
                claim(seats[at % len(seats)], f"Task/{task}", f"Practitioner/p{at}")
                for at in range(8)
            ]
            found = await asyncio.gather(*tries, return_exceptions=True)
            [won] = [one for one in found if not isinstance(one, Taken)]
            assert {one.owner for one in found if isinstance(one, Taken)} == {won.owner}
            stored = decode((await stores[0].read(P, "Task", task)).body)
            assert stored["owner"]["reference"] == won.owner
        for one in stores:
            await one.close()

    asyncio.run(race())


async def seed(store: Any) -> None:
    """Eight practitioners, and three Tasks that wait."""
    resources = [("Practitioner", f"p{at}", {}) for at in range(8)]
    for name in ("t1", "t2", "t3"):
        identifier = todo_identity(f"sms|{name}|Patient/ana").as_json()
        body = {"identifier": [identifier], "status": "requested", "intent": "order"}
        resources.append(("Task", name, body))
    writes = []
    for type_, id_, members in resources:
        resource, body = stamp({"resourceType": type_, **members}, id_, new_id(1), 1)
        version = resource["meta"]["versionId"]
        writes.append(Write(type_, id_, version, 1, resource, body))
    await store.commit(P, ChangeSet(tuple(writes)))

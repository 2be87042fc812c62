"""A message that its sender has edited or deleted counts by its last words, in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest

from threadwell.encounters import codes
from threadwell.encounters.retracted import RETURNED
from threadwell.intake import verify
from threadwell.messages import Attachment, Message
from threadwell.messages.wordings import original_of, wording_id
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.stores.memory import MemoryStore

_AT = [datetime(2024, 4, 10, 9, minute, tzinfo=UTC) for minute in range(4)]


def reworded(first: Message, text: str, at: int, *, late: bool = False) -> Message:
    """Another wording of a message, at the time of that or, where that is not told, of the edit."""
    id_ = wording_id(first.external_id, text, at=_AT[at])
    sent = _AT[at] if late else first.sent
    return replace(first, external_id=id_, text=text, new_text=text, edited=_AT[at], sent=sent)


def record(practice) -> dict[str, tuple[str, str, bool]]:
    """By text: the status, the text that it answers, and whether it is a correction."""
    children = [one for one in practice.all("Communication") if "payload" in one]
    texts = {one["id"]: one["payload"][0].get("contentString", "") for one in children}
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    return {
        texts[one["id"]]: (
            one["status"],
            *[
                texts[answered["reference"].partition("/")[2]]
                for answered in one.get("inResponseTo") or [{"reference": f"/{one['id']}"}]
            ],
            one.get("category") == [codes.CORRECTED_MESSAGE],
        )
        for one in children
    }


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_last_words_count(practice, sms, order, apart, late) -> None:
    first = sms("m:1", "09:00", "take one")
    second = reworded(first, "take two", 1, late=late)
    third = reworded(first, "take three", 2, late=late)
    other = sms("m:2", "09:00", "beside it")
    those = [(first, second, third, other)[at] for at in order]
    for some in [[one] for one in those] if apart else [those]:
        practice.take(*some)
    expected = {
        "take one": ("entered-in-error", "take one", False),
        "take two": ("entered-in-error", "take one", True),
        "take three": ("completed", "take two", True),
        "beside it": ("completed", "beside it", False),
    }
    assert record(practice) == expected
    practice.take(first, second, third)
    assert record(practice) == expected
    (encounter,) = practice.live("Encounter")
    assert encounter["period"]["start"] == "2024-04-10T09:00:00Z"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_was_deleted_does_not_come_back(practice, sms, order) -> None:
    first = sms("m:1", "09:00", "take one")
    second = reworded(first, "take two", 1)
    gone = replace(second, taken_back=True)
    those = (first, second, gone)
    for at in order:
        practice.take(those[at])
    statuses = {text: status for text, (status, *_) in record(practice).items()}
    assert statuses == dict.fromkeys(("take one", "take two"), "entered-in-error")
    (encounter,) = practice.all("Encounter")
    assert encounter["status"] == "cancelled"
    practice.take(reworded(first, "take three", 3))
    assert record(practice)["take three"][0] == "entered-in-error"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_deleted_message_without_its_words(practice, sms, order) -> None:
    first = sms("m:1", "09:00", "for my sister")
    gone = replace(
        reworded(first, "", 3),
        edited=datetime.max.replace(tzinfo=UTC, year=9998),
        taken_back=True,
        notes=("its words are not there any more",),
    )
    those = (first, gone, sms("m:2", "09:30", "my knee hurts"))
    for at in order:
        practice.take(those[at])
    statuses = {text: status for text, (status, *_) in record(practice).items()}
    assert statuses == {
        "for my sister": "entered-in-error",
        "": "entered-in-error",
        "my knee hurts": "completed",
    }
    told = [
        one
        for one in practice.all("Provenance")
        if one["activity"]["coding"][0]["code"] == "NULLIFY"
    ]
    assert len(told) == (order.index(0) < order.index(1))


def test_what_a_person_took_back_stays_so_when_its_sender_edits_it(practice, sms) -> None:
    first = sms("m:1", "09:00", "take one")
    practice.take(first)
    (child,) = [one for one in practice.all("Communication") if "payload" in one]
    rest = {
        name: value for name, value in child.items() if name not in ("resourceType", "id", "meta")
    }
    practice.put("Communication", child["id"], **rest | {"status": "entered-in-error"})
    practice.take(reworded(first, "take two", 1))
    assert record(practice)["take two"][0] == "entered-in-error"


def test_a_billed_session_keeps_what_was_billed(practice, sms) -> None:
    first = sms("m:1", "09:00", "take one")
    practice.take(first)
    (session,) = practice.live("Encounter")
    rest = {name: value for name, value in session.items() if name not in ("resourceType", "id")}
    practice.put("Encounter", session["id"], **rest | {"meta": {"tag": [codes.BILLED]}})
    report = practice.take(reworded(first, "take two", 1))
    assert report.counts.quarantined == 1
    assert record(practice) == {"take one": ("completed", "take one", False)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"phone": "+12125550112"}),
        ({}, {"out": True}),
        ({}, {"time": "09:01"}),
    ],
)
def test_messages_that_only_share_an_id_are_no_wordings(practice, sms, one, other) -> None:
    practice.patient("ben", "+12125550112", given="Ben")
    time = other.pop("time", "09:00")
    first = sms("m:1:0123456789ab", "09:00", "take one", **one)
    second = replace(
        sms("m:1:0123456789ac", time, "take two", **other), edited=datetime(2024, 5, 1, tzinfo=UTC)
    )
    practice.take(first, second)
    assert {status for status, *_ in record(practice).values()} == {"completed"}


@pytest.mark.parametrize(
    ("id_", "original"),
    [
        ("C1:17.5:0123456789ab", "C1:17.5"),
        ("701:5:0123456789abcdef", "701:5"),
        ("wamid.X:0123456789ab", "wamid.X"),
        *((one, one) for one in ("C1:17.5", "701::0123456789abcdef", "", ":0123456789ab", "a:b")),
        *((one, one) for one in ("a:0123456789aB", "a:0123456789abc", "0123456789ab")),
    ],
)
def test_wordings_are_told_by_their_ids(id_: str, original: str) -> None:
    assert original_of(id_) == original


#: The texts that a message has had, each a minute after the one before; what of them is recorded
#: where they come in their order; and which of these counts.
_SEQUENCES = [
    (("A", "A"), (0,), 0),
    (("A", "A", "A"), (0,), 0),
    (("A", "B", "A"), (0, 1, 2), 2),
    (("A", "B", "B"), (0, 1), 1),
    (("A", "A", "B"), (0, 2), 2),
    (("A", "B", "A", "A"), (0, 1, 2), 2),
    (("A", "A", "B", "A"), (0, 2, 3), 3),
    (("A", "B", "A", "B"), (0, 1, 2, 3), 3),
]


def _wordings(texts, sms, late) -> list[Message]:
    first = sms("m:1", "09:00", texts[0])
    later = [reworded(first, one, at, late=late) for at, one in enumerate(texts) if at]
    return [first, *later]


def _by_id(practice) -> dict[str, str]:
    assert practice.run(verify(practice.store, DEFAULT_PROJECT)) == []
    children = [one for one in practice.all("Communication") if "payload" in one]
    return {one["identifier"][0]["value"]: one["status"] for one in children}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("texts", "recorded", "last"), _SEQUENCES)
def test_only_other_words_are_another_wording(practice, sms, texts, recorded, last, late) -> None:
    those = _wordings(texts, sms, late)
    expected = {
        those[at].external_id: "completed" if at == last else "entered-in-error" for at in recorded
    }
    every = list(permutations(range(len(those))))
    ways = [(order, True) for order in every[:: 1 if len(those) < 4 else 5]]
    for order, apart in [*ways, (every[0], False), (every[-1], False)]:
        one = replace(practice, store=MemoryStore())
        one.patient("ana", "+12125550111", given="Ana")
        for some in [[those[at]] for at in order] if apart else [[those[at] for at in order]]:
            one.take(*some)
        found = _by_id(one)
        counting = [id_ for id_, status in found.items() if status == "completed"]
        assert counting == [those[last].external_id], (order, apart)
        assert expected.keys() <= found.keys()
        if not apart or order == every[0]:
            assert found == expected, (order, apart)
        report = one.take(*those, *those)
        assert (report.counts.new, report.counts.known) == (0, 2 * len(those))
        assert _by_id(one) == found


def test_what_changes_no_words_writes_nothing(practice, sms) -> None:
    first = sms("m:1", "09:00", "take five")
    practice.take(first)
    before = {(one["id"], one["meta"]["versionId"]) for one in practice.all("Communication")}
    report = practice.take(reworded(first, "take five", 1))
    assert (report.counts.new, report.counts.known) == (0, 1)
    after = {(one["id"], one["meta"]["versionId"]) for one in practice.all("Communication")}
    assert after == before
    assert not practice.all("Provenance")


def test_a_wording_that_counts_again_says_so(practice, sms) -> None:
    first = sms("m:1", "09:00", "take five")
    again = reworded(first, "take five", 2)
    practice.take(again)
    practice.take(first)
    practice.take(reworded(first, "take fifty", 1))
    activities = [
        one["activity"]["coding"][0]["code"]
        for one in practice.all("Provenance")
        if any(RETURNED in str(one.get(name)) for name in ("reason",))
    ]
    assert activities == ["UPDATE"]
    (child,) = [one for one in practice.live("Communication") if "payload" in one]
    assert "statusReason" not in child
    assert child["identifier"][0]["value"] == again.external_id


_IMAGE = Attachment("knee.png", "image/png", b"a")


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ((_IMAGE,), (), 1),
        ((_IMAGE,), (_IMAGE,), 1),
        ((_IMAGE,), (replace(_IMAGE, content=None, note="is not in the export"),), 1),
        ((_IMAGE,), (replace(_IMAGE, content=b"b"),), 2),
        ((), (_IMAGE,), 2),
    ],
)
def test_other_files_are_another_wording(practice, sms, before, after, count) -> None:
    first = replace(sms("m:1", "09:00", "look"), attachments=before)
    practice.take(first)
    practice.take(replace(reworded(first, "look", 1), attachments=after))
    assert len(_by_id(practice)) == count


def test_what_changes_no_words_of_a_billed_message_waits_for_nobody(practice, sms) -> None:
    first = sms("m:1", "09:00", "take one")
    practice.take(first)
    (session,) = practice.live("Encounter")
    rest = {name: value for name, value in session.items() if name not in ("resourceType", "id")}
    practice.put("Encounter", session["id"], **rest | {"meta": {"tag": [codes.BILLED]}})
    report = practice.take(reworded(first, "take one", 1))
    assert report.counts.quarantined == 0
    assert _by_id(practice) == {"m:1": "completed"}


def test_what_was_deleted_stays_so_when_it_is_told_again(practice, sms) -> None:
    first = sms("m:1", "09:00", "take one")
    practice.take(first, reworded(first, "take one", 1))
    practice.take(replace(first, taken_back=True))
    practice.take(reworded(first, "take one", 2), reworded(first, "take two", 3))
    assert set(_by_id(practice).values()) == {"entered-in-error"}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_answer_to_what_changed_no_words_answers_those_words(practice, sms, order) -> None:
    first = sms("m:1:0123456789ab", "09:00", "take five")
    again = replace(first, external_id="m:1:0123456789ac", edited=_AT[1])
    answer = replace(sms("m:2:0123456789ad", "09:10", "thanks"), in_reply_to=again.external_id)
    those = (first, again, answer)
    for at in order:
        practice.take(those[at])
    practice.take(sms("m:3", "09:20", "and later"))
    answered = record(practice)["thanks"][1]
    assert answered == "take five"
    (there,) = [
        one["id"]
        for one in practice.live("Communication")
        if one.get("payload", [{}])[0].get("contentString") == "take five"
    ]
    (reply,) = [
        one
        for one in practice.all("Communication")
        if one.get("payload", [{}])[0].get("contentString") == "thanks"
    ]
    if order.index(0) < order.index(1):
        assert reply["inResponseTo"][0]["reference"] == f"Communication/{there}"


@pytest.mark.parametrize(
    ("batches", "counted"),
    [
        ([[0], [1], [2]], [0, 1, 1]),
        ([[0, 1, 2]], [2]),
        # Those that come too late are replaced already; what says the same replaces nothing.
        ([[2], [0, 1]], [0, 2]),
        ([[0], [3], [3, 0]], [0, 0, 0]),
    ],
)
def test_it_is_counted_how_many_wordings_were_replaced(practice, sms, batches, counted) -> None:
    first = sms("m:1", "09:00", "take one")
    those = [
        first,
        reworded(first, "take two", 1),
        reworded(first, "take three", 2),
        reworded(first, "take one", 1),
    ]
    assert [practice.take(*(those[at] for at in some)).reworded for some in batches] == counted

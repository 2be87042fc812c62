"""Saved replies: texts under names, filled for the thread that they are sent in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from threadwell.fhir.json import decode
from threadwell.fhir.validation import validate
from threadwell.intake import BadReply
from threadwell.intake.choices import Choices, keep_choices
from threadwell.intake.replies.saved import (
    filled,
    find_saved,
    remove_saved,
    save_reply,
    saved_replies,
)
from threadwell.stores.contract import DEFAULT_PROJECT

P = DEFAULT_PROJECT


@pytest.fixture
def thread(practice: Any, sms: Any) -> str:
    """A thread of Ana, who is called so, with the practice."""
    practice.put(
        "Patient",
        "ana",
        name=[{"given": ["Ana", "Lucia"], "family": "Cruz"}, {"use": "usual", "given": ["Anita"]}],
        telecom=[{"system": "phone", "value": "+12125550111"}],
    )
    practice.put("Practitioner", "dana", name=[{"given": ["Dana"], "family": "Ruiz"}])
    practice.settings = replace(practice.settings, practice_name="Harbour Clinic")
    practice.take(sms("1", "09:00"))
    [header] = [one for one in practice.live("Communication") if "partOf" not in one]
    return f"Communication/{header['id']}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No places.", "No places."),
        ("Hello {{patient.given}}!", "Hello Anita!"),
        ("{{ writer.given | you }}", "Anita"),
        ("{{patient.family|friend}}", "friend"),
        ("{{practice.name}}: {{sender.name}}, {{today}}", "Harbour Clinic: Dana Ruiz, 2024-06-01"),
        ("{{practice.phone|our number}}", "+12125550100"),
        ("{{sender.name}}{{practice.name|}}.", "Dana RuizHarbour Clinic."),
    ],
)
def test_places_are_filled(practice: Any, thread: str, text: str, expected: str) -> None:
    found = practice.run(filled(practice.seat(), text, thread, sender="Practitioner/dana"))
    assert found == expected


def test_a_practice_without_one_name_is_told(practice: Any, thread: str) -> None:
    [made] = practice.all("Organization")
    own = {name: made[name] for name in ("identifier", "telecom")}

    def told(text: str) -> str:
        try:
            return str(practice.run(filled(practice.seat(), text, thread)))
        except BadReply as error:
            return str(error)

    practice.put("Organization", made["id"], **own, name="This practice")
    assert told("{{practice.name}}").startswith("the practice has no name of its own")
    assert told("{{practice.name|We}}, {{practice.phone}}") == "We, +12125550100"
    practice.put("Organization", "other", name="Harbour Lane")
    assert told("{{practice.phone}}").startswith(
        f"there are two Organizations: This practice (Organization/{made['id']}), "
        "Harbour Lane (Organization/other): write {{practice.phone|"
    )
    practice.run(keep_choices(practice.store, P, Choices(organization="Harbour Lane")))
    assert told("{{practice.name}}") == "Harbour Lane"
    practice.run(keep_choices(practice.store, P, Choices()))
    practice.put("Organization", made["id"], **own, name="This practice", active=False)
    assert told("{{practice.name}}") == "Harbour Lane"


def test_what_nothing_fills_is_told(practice: Any, thread: str) -> None:
    with pytest.raises(BadReply, match="patient\\.family"):
        practice.run(filled(practice.seat(), "{{patient.family}}", thread))
    for text, told in (
        ("{{patient.shoe}}", "nothing is called {{patient.shoe}}, only patient.given"),
        ("{{patient given}}", "a place is written"),
        (" ", "has a text"),
    ):
        with pytest.raises(BadReply, match=told.replace("{", r"\{")):
            practice.run(save_reply(practice.seat(), "x", text))
    with pytest.raises(BadReply, match="no name"):
        practice.run(save_reply(practice.seat(), "X!", "text"))


def test_they_are_kept_listed_changed_and_retired(practice: Any) -> None:
    store, run, seat = practice.store, practice.run, practice.seat()
    run(save_reply(seat, "hours", "From 9 to 5."))
    run(save_reply(seat, "closed", "We are closed.", title="When nobody is there"))
    run(save_reply(seat, "hours", "From 8 to 5."))
    run(save_reply(seat, "hours", "From 8 to 5."))
    found = run(saved_replies(store, P))
    assert [(one.name, one.title, one.text) for one in found] == [
        ("closed", "When nobody is there", "We are closed."),
        ("hours", "", "From 8 to 5."),
    ]
    history = run(store.read(P, "ActivityDefinition", found[1].resource.partition("/")[2]))
    assert validate(decode(history.body)) == []
    run(remove_saved(seat, "hours"))
    assert [one.name for one in run(saved_replies(store, P))] == ["closed"]
    with pytest.raises(BadReply, match="there is no saved reply hours"):
        run(find_saved(store, P, "hours"))
    run(save_reply(seat, "hours", "Again."))
    assert run(find_saved(store, P, "hours")).text == "Again."


def test_one_that_a_client_has_made_is_one(practice: Any) -> None:
    practice.put(
        "ActivityDefinition",
        "made-by-hand",
        status="active",
        kind="CommunicationRequest",
        identifier=[
            {"system": "https://threadwell.dev/fhir/identifier/saved-reply", "value": "hand"}
        ],
        dynamicValue=[
            {
                "path": "payload.contentString",
                "expression": {"language": "text/x-places", "expression": "By hand."},
            }
        ],
    )
    assert practice.run(find_saved(practice.store, P, "hand")).text == "By hand."
    practice.run(save_reply(practice.seat(), "hand", "Now another."))
    assert [one.text for one in practice.run(saved_replies(practice.store, P))] == ["Now another."]

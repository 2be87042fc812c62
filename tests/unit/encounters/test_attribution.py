"""Reasons of attributions as extensions of a message."""

from __future__ import annotations

import pytest

from threadwell.encounters import codes
from threadwell.encounters.attribution import (
    CHOSEN,
    NAMED,
    SENDER,
    Reason,
    chosen,
    is_chosen,
    patients_of,
    reasons_of,
    with_reasons,
)
from threadwell.fhir.validation import validate

NOTE = {"url": "https://example.org/note", "valueString": "kept"}
MESSAGE = {
    "resourceType": "Communication",
    "status": "completed",
    "extension": [NOTE],
}


@pytest.mark.parametrize(
    "reasons",
    [
        (),
        (Reason("Patient/leo", NAMED, "Leo has a fever"), Reason("Patient/mia", NAMED, "Mia")),
        (Reason("Patient/leo", SENDER),),
        (Reason("Patient/leo", CHOSEN, source="Task/1"),),
        (Reason("", CHOSEN, source="Provenance/1"),),
    ],
)
def test_reasons_are_read_as_they_were_written(reasons):
    message = with_reasons(MESSAGE, reasons)
    assert validate(message) == []
    assert reasons_of(message) == reasons
    assert message["extension"][0] == NOTE
    assert with_reasons(message, ()) == MESSAGE


def test_an_older_answer_is_still_read():
    kept = {"url": codes.EXT_CHOSEN, "valueReference": {"reference": "Patient/mia"}}
    message = {**MESSAGE, "extension": [kept, NOTE]}
    assert reasons_of(message) == (Reason("Patient/mia", CHOSEN),)
    assert with_reasons(message, chosen(["Patient/leo"], ""))["extension"][0] == NOTE
    assert reasons_of(with_reasons(message, chosen(["Patient/leo"], ""))) == (
        Reason("Patient/leo", CHOSEN),
    )


def test_a_person_may_choose_several_or_nobody():
    both = chosen(["Patient/mia", "Patient/leo"], "Task/1")
    assert patients_of(both) == {"Patient/leo", "Patient/mia"}
    nobody = chosen([], "Task/1")
    assert patients_of(nobody) == frozenset()
    assert is_chosen(both)
    assert is_chosen(nobody)
    assert not is_chosen([Reason("Patient/leo", NAMED, "Leo")])

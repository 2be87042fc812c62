"""The page of a patient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from threadwell.encounters import codes


def ref(to: str) -> dict[str, str]:
    return {"reference": to}


def relative(id_: str, of: str, *phones: str, name: str = "Ana Prado") -> dict[str, Any]:
    return {
        "resourceType": "RelatedPerson",
        "id": id_,
        "patient": ref(f"Patient/{of}"),
        "name": [{"text": name}],
        "relationship": [{"text": "mother"}],
        "telecom": [{"system": "phone", "value": phone} for phone in phones],
    }


def held(id_: str, phone: str) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "id": id_,
        "status": "requested",
        "intent": "order",
        "code": codes.task_code("quarantine"),
        "reasonCode": codes.reason("unknown-sender"),
        "description": f"Held for {phone}",
        "authoredOn": "2024-03-12T11:58:00Z",
        "input": [
            {
                "type": {"text": "unknown"},
                "valueContactPoint": {"system": "phone", "value": phone},
            }
        ],
    }


@pytest.fixture
def family(practice: Any, put: Callable[..., None]) -> Any:
    put(
        relative("ana-of-lena", "lena", "+1 207-555-0142"),
        relative("ana-of-tomas", "tomas", "(207) 555-0142"),
        relative("uncle", "lena", "+12075550199", name="Rui Prado"),
        held("h1", "+12075550142"),
        held("h2", "+12075550100"),
        {
            "resourceType": "Task",
            "id": "question",
            "status": "requested",
            "intent": "order",
            "code": codes.task_code("review"),
            "reasonCode": codes.reason("patient-unclear"),
            "focus": ref("Encounter/family"),
            "authoredOn": "2024-03-12T11:58:00Z",
        },
    )
    return practice


def test_all_that_belongs_to_a_patient_is_there(family: Any, browser: Any) -> None:
    page = browser.get("/patients/lena").text
    for words in (
        "<h1><bdi>Lena Prado</bdi></h1>",
        "Born: <bdi>May 1, 2016</bdi>",
        'href="/sessions/family"',
        "Fever and rash",
        "Rui Prado",
        "mother · +1 207-555-0142",
        'also of <a href="/patients/tomas"><bdi>Tomás Prado</bdi></a>',
        "Which patient it is about is unclear",
        'href="/quarantine/h1"',
    ):
        assert words in page, words
    for words in ('href="/sessions/own"', 'href="/sessions/old"', 'href="/quarantine/h2"'):
        assert words not in page, words


def test_the_other_child_has_its_own_page(family: Any, browser: Any) -> None:
    page = browser.get("/patients/tomas").text
    assert [s for s in ("family", "own", "old") if f'class="row" href="/sessions/{s}"' in page] == [
        "family",
        "own",
    ]


def test_a_session_and_a_list_lead_to_the_patient(family: Any, browser: Any) -> None:
    session = browser.get("/sessions/family").text
    for child in ("lena", "tomas"):
        assert f'href="/patients/{child}"' in session
    assert 'href="/patients/lena"' in browser.get("/?patient=lena").text


def test_a_patient_of_whom_nothing_is_known(put: Callable[..., None], browser: Any) -> None:
    put({"resourceType": "Patient", "id": "new"})
    page = browser.get("/patients/new").text
    for words in ("Without a name", "No session is about this patient", "Nobody is known"):
        assert words in page


def test_what_strangers_wrote_stays_text(put: Callable[..., None], browser: Any) -> None:
    name = "<script>x</script>\u202e"
    put({"resourceType": "Patient", "id": "new", "name": [{"text": name}]})
    page = browser.get("/patients/new").text
    assert "<script>" not in page
    assert "<bdi>&lt;script&gt;x&lt;/script&gt;\u202e</bdi>" in page

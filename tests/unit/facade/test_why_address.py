"""Where somebody has said whose an address is, the reason says so, and who it was."""

from __future__ import annotations

from pathlib import Path

import pytest

import threadwell
from threadwell.cli.whys import why_text

PEOPLE = (
    "kind,id,family,given,phone\n"
    "patient,lena,Prado,Lena,+12075550111\n"
    "patient,tom,Prado,Tom,+12075550111\n"
    "patient,ada,Ames,Ada,+12075550112\n"
)
MESSAGES = (
    "sent,from,to,text\n"
    "2025-03-08T08:00:00,+12075550111,+12075550100,hello\n"
    "2025-03-08T09:00:00,+12075550112,+12075550100,good morning\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "messages.csv").write_text(MESSAGES)
    return tmp_path


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_who_said_whose_an_address_is(
    kind: str, here: Path, request: pytest.FixtureRequest
) -> None:
    store = str(here / "x.db") if kind == "sqlite" else request.getfixturevalue("postgres_url")
    with threadwell.open(store) as tw:
        tw.import_messages("messages.csv", people="people.csv", zone="UTC")
        (ada,) = tw.sessions()
        assert [(one.basis, one.by) for one in tw.why(ada.id)] == [("address", "")]
        (question,) = tw.reviews()
        lena = next(one.patient for one in question.candidates if one.name == "Lena Prado")
        tw.answer_review(question.task, [lena])
        (shared,) = (one for one in tw.sessions() if one.id != ada.id)
        (why,) = tw.why(shared.id)
        assert (why.patient, why.basis, why.messages) == (lena, "address", 1)
        assert why.by
        assert why_text([why]) == f"by address; whose it is, {why.by} has said"
        assert why_text(tw.why(ada.id)) == "by address"

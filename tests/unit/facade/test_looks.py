"""What a program or a command lists of the store is recorded as any other look at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.audit.way import WAY
from threadwell.cli import main


@pytest.fixture
def practice(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A store with a patient, a session, a held message and a question."""
    path = tmp_path / "practice.db"
    made: dict[str, str] = {}
    with threadwell.open(path) as tw:
        patient = tw.create_resource({"resourceType": "Patient", "name": [{"family": "Aal"}]})
        of = {"reference": f"Patient/{patient['id']}"}
        resources = {
            "Encounter": {"status": "finished", "class": {"code": "VR"}, "subject": of},
            "Communication": {"status": "completed", "subject": of},
        }
        made["Patient"] = patient["id"]
        for type_, members in resources.items():
            made[type_] = tw.create_resource({"resourceType": type_, **members})["id"]
    return path, made


LOOKS: dict[str, Callable[[Any, dict[str, str]], Any]] = {
    "sessions": lambda tw, of: tw.sessions(patient=of["Patient"]),
    "patients": lambda tw, of: tw.find_patients("aal"),
    "reviews": lambda tw, of: tw.reviews(),
    "quarantine": lambda tw, of: [tw.quarantine(), tw.held_rows(), tw.held("nobody")],
    "todos": lambda tw, of: tw.waiting_threads(),
    "drafts": lambda tw, of: tw.drafts(f"Practitioner/{of['Patient']}"),
    "outbox": lambda tw, of: [tw.outbox(), tw.dead_letters()],
    "rules": lambda tw, of: tw.rule_runs(),
}


@pytest.mark.parametrize("what", LOOKS)
def test_a_list_is_recorded(practice: tuple[Path, dict[str, str]], what: str) -> None:
    path, made = practice
    with threadwell.open(path, read_only=True) as tw:
        LOOKS[what](tw, made)
    with threadwell.open(path) as tw:
        events = [one for one in tw.audit_events() if one["subtype"][0]["code"] == "list"]
    assert events
    seen = {
        entity["what"]["reference"].partition("/_history")[0]
        for event in events
        for entity in event.get("entity", ())
        if "reference" in entity.get("what", {})
    }
    if what == "patients":
        assert f"Patient/{made['Patient']}" in seen


def test_a_command_says_which_it_is(
    practice: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    path, made = practice
    assert main(["sessions", "--patient", made["Patient"], "--store", str(path)]) == 0
    assert main(["view", "run", "sessions", "--store", str(path)]) == 0
    capsys.readouterr()
    WAY.set("python")
    with threadwell.open(path) as tw:
        events = [one for one in tw.audit_events() if one["subtype"][0]["code"] == "list"]
        of_patient = list(tw.audit_events(patient=f"Patient/{made['Patient']}"))
    assert len(events) >= 2
    told = repr(events)
    assert "command sessions" in told
    assert "command view" in told
    assert [one for one in of_patient if one["subtype"][0]["code"] == "list"]

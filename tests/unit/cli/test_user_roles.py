"""What people have by their accounts: given with all it needs, and shown with whom it is of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import threadwell
from threadwell.cli import main

Told = Callable[..., str]
NORA = "nora@clinic.example.org"
#: Stands for a Practitioner that is there.
WHOM = "whom"
STORE = "practice.db"


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """What a command prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THREADWELL_STORE", STORE)

    def run(*command: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main([*command]) == code
        out, err = capsys.readouterr()
        return err if code else out

    return run


@pytest.mark.parametrize(
    ("command", "stands"),
    [
        (["user", "role", NORA, "--role", "care-team"], "Patient/…"),
        (["user", "role", NORA, "--role", "ward"], "VALUE"),
        (["user", "invite", "mo@clinic.example.org", "--as", WHOM, "--role", "care-team"], ""),
        (["policy", "give", "care-team", WHOM], "Patient/…"),
        (["client", "add", "app", "--policy", "care-team", "--as", WHOM], ""),
    ],
)
def test_what_a_role_needs_to_be_told_is_said_with_its_option(
    told: Told, tmp_path: Path, command: list[str], stands: str
) -> None:
    told("user", "invite", NORA, "--first", "Nora", "--last", "Bell", "--role", "participant")
    told("policy", "set", "care-team")
    ward = {
        "resourceType": "AccessPolicy",
        "id": "ward",
        "name": "ward",
        "resource": [{"resourceType": "Patient", "criteria": "Patient?organization=%ward"}],
    }
    path = tmp_path / "ward.json"
    path.write_text(json.dumps(ward))
    told("policy", "set", str(path))
    with threadwell.open(STORE) as tw:
        there = f"Practitioner/{tw.create_resource({'resourceType': 'Practitioner'})['id']}"
    said = told(*[there if one == WHOM else one for one in command], code=1)
    name = "ward" if "ward" in command else "patient"
    assert f"%{name} stands for: add --with {name}={stands or 'Patient/…'}" in said


def test_of_which_patient_a_role_is_is_shown(told: Told) -> None:
    told("user", "invite", NORA, "--first", "Nora", "--last", "Bell", "--role", "participant")
    with threadwell.open(STORE) as tw:
        ana = f"Patient/{tw.create_resource({'resourceType': 'Patient'})['id']}"
    told("user", "role", NORA, "--role", "care-team", "--with", f"patient={ana}")
    told("user", "invite", "ana@example.org", "--type", "Patient", "--as", ana)
    assert f"care-team (patient={ana})" in told("user", "show", NORA)
    shown = told("user", "list")
    assert f"care-team (patient={ana})" in shown
    # Who is a patient acts as that one.
    (line,) = [line for line in shown.splitlines() if line.startswith("ana@example.org")]
    assert ana in line
    row = json.loads(told("user", "show", NORA, "--format", "json"))
    assert row["policies"] == ["care-team"]
    assert row["grants"] == [{"policy": "care-team", "parameters": {"patient": ana}}]

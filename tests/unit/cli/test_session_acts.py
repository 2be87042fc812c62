"""``threadwell open-session``, ``close`` and ``reopen``, and the same in Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.cli import main
from threadwell.intake import BadAct

PEOPLE = """kind,id,given,family,phone
patient,ana,Ana,Cruz,+12125550121
patient,leo,Leo,Moss,+12125550122
"""
TABLE = """id,from,to,sent,text
1,+12125550121,+12125550100,2026-01-05T09:00:00Z,hello my knee is stiff
"""


@pytest.fixture
def store(tmp_path: Path) -> str:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "portal.csv").write_text(TABLE)
    path = str(tmp_path / "practice.db")
    people = ["--people", str(tmp_path / "people.csv"), "--owner", "+12125550100"]
    table = str(tmp_path / "portal.csv")
    assert main(["import", table, *people, "--zone", "UTC", "--store", path]) == 0
    return path


def test_what_the_commands_say(store: str, capsys: Any) -> None:
    with threadwell.open(store) as tw:
        (session,) = tw.sessions()
        ana = session.patients[0]
    name = f"Encounter/{session.id}"
    for command, named, says in (
        ("close", session.id, f"{name} is closed already"),
        ("reopen", name, f"{name} is in-progress"),
        ("reopen", name, f"{name} is open already"),
        ("close", name, f"{name} is finished"),
    ):
        capsys.readouterr()
        assert main([command, named, "--store", store, "--by", "Nils Berg"]) == 0
        assert capsys.readouterr().out.strip() == says
    assert main(["open-session", ana, "--store", store, "--format", "json"]) == 0
    opened = json.loads(capsys.readouterr().out)
    assert (opened["status"], opened["session"] != name) == ("arrived", True)
    with threadwell.open(store) as tw:
        assert {one.status for one in tw.sessions(status="open")} == {"arrived"}
        assert [one.status for one in tw.sessions(status="finished")] == ["finished"]
        task = tw.read_resource("Task", opened["act"].partition("/")[2])
        assert task["requester"] == {"display": "A person"}
        assert tw.close_session(opened["session"], by="Nils Berg").status == "cancelled"
        assert tw.sessions(status="open") == []
        assert tw.verify() == []


def test_what_they_refuse(store: str, capsys: Any) -> None:
    assert main(["open-session", "--store", store]) == 1
    assert "say for whom" in capsys.readouterr().err
    assert main(["close", "none", "--store", store]) == 1
    assert "there is no Encounter/none" in capsys.readouterr().err
    with threadwell.open(store) as tw, pytest.raises(BadAct, match=r"no Patient/nobody"):
        tw.open_session("nobody")

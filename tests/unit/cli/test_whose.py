"""Whom and what a command means: by a name, an id, or a reference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import threadwell
from threadwell.cli import main
from threadwell.facade.errors import OperationOutcomeError


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("THREADWELL_STORE", str(tmp_path / "practice.db"))
    return str(tmp_path / "practice.db")


def test_the_trail_is_searched_by_a_client_that_is_there(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing found for a name that is written wrongly would be read as: nobody has seen it."""
    assert main(["client", "add", "billing"]) == 0
    id_ = json.loads(capsys.readouterr().out)["client_id"]
    for who in ("billing", id_, f"ClientApplication/{id_}", "Practitioner/1"):
        assert main(["audit", "list", "--who", who]) == 0
        assert capsys.readouterr().out == "Nothing was recorded that matches.\n"
    for action in (["list"], ["export"]):
        assert main(["audit", *action, "--who", "biling"]) == 1
        assert "there is no client biling" in capsys.readouterr().err


def test_what_was_asked_for_is_told_of_what_was_refused(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with threadwell.open(store) as tw, pytest.raises(OperationOutcomeError):
        tw.create_resource({"resourceType": "Observation"})
    assert main(["audit"]) == 0
    assert "Observation" in capsys.readouterr().out


def test_an_operation_is_named(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    with threadwell.open(store) as tw, pytest.raises(OperationOutcomeError):
        tw.create_resource({"resourceType": "Observation"})
    assert main(["get", "Patient/never-was/$everything"]) == 1
    capsys.readouterr()
    for act in ("$everything", "operation"):
        assert main(["audit", "list", "--act", act]) == 0
        told = capsys.readouterr().out
        assert "operation $everything (HTTP 404)" in told
        assert "Observation" not in told


def test_an_act_that_there_is_not_is_refused(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with threadwell.open(store) as tw:
        with pytest.raises(ValueError, match="nonsense"):
            tw.audit_events(act="nonsense")
        assert list(tw.audit_events(act="login")) == []
    assert main(["audit", "list", "--act", "nonsense"]) == 2
    told = capsys.readouterr().err
    assert "there is no act 'nonsense'" in told
    assert "create, " in told
    assert "login, " in told


def test_a_hook_is_set_back_by_its_reference(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with threadwell.open(store) as tw:
        tw.create_resource({"resourceType": "Patient"})
    for id_ in ("abc", "Subscription/abc"):
        assert main(["subscriptions", "--set-back", id_, "1"]) == 1
        assert "of a Subscription abc was ever served" in capsys.readouterr().err
    assert main(["subscriptions", "--set-back", "abc", "now"]) == 1
    assert "of a Subscription abc was ever served" in capsys.readouterr().err
    assert main(["subscriptions", "--set-back", "abc", "then"]) == 2
    assert "then is no number of an event" in capsys.readouterr().err

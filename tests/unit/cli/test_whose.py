"""Whom and what a command means: by a name, an id, or a reference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import threadwell
from threadwell.audit.record import Who
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
        told = capsys.readouterr().err
        assert "there is no client biling" in told
        assert "`threadwell client list` and `threadwell user list`" in told


def invited(email: str, first: str, last: str, *more: str) -> None:
    assert main(["user", "invite", email, "--first", first, "--last", last, *more]) == 0


def test_the_trail_is_searched_by_the_name_that_it_shows_and_by_an_account(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    invited("mo@clinic.example.org", "Mo", "Adeyemi")
    invited("robin@clinic.example.org", "Robin", "Ash")
    with threadwell.open(store) as tw:
        mo = tw.user("mo@clinic.example.org").members[0].profile
        tw._trail.event(tw.project, "login", Who(who=mo, name="Mo Adeyemi", way="api"))
        ada = tw.create_resource({"resourceType": "Patient", "name": [{"text": "Ada Lovelace"}]})
        tw.create_resource({"resourceType": "Patient", "name": [{"text": "Ada"}]})
        who = Who(who=f"Patient/{ada['id']}", name="Ada Lovelace", way="chat")
        tw._trail.event(tw.project, "login", who)
    capsys.readouterr()
    address = "mo@clinic.example.org"
    for meant in ("Mo Adeyemi", "mo  adeyemi", address, address.upper(), mo):
        assert main(["audit", "list", "--who", meant, "--format", "json"]) == 0
        (event,) = json.loads(capsys.readouterr().out)
        assert mo in json.dumps(event)
    assert main(["audit", "list", "--who", "Ada Lovelace"]) == 0
    assert capsys.readouterr().out.count("Ada Lovelace") == 1
    assert main(["audit", "list", "--who", "robin@clinic.example.org"]) == 0
    assert capsys.readouterr().out == "Nothing was recorded that matches.\n"
    for nobody in ("Mo", "Adeyemi", "nobody@clinic.example.org", "Mo Adeyemi Ash", "Mo, Adeyemi"):
        assert main(["audit", "list", "--who", nobody]) == 1
        assert f"there is no client {nobody}, no account" in capsys.readouterr().err


def test_of_two_of_one_name_both_references_are_said(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    invited("mo@clinic.example.org", "Mo", "Adeyemi")
    with threadwell.open(store) as tw:
        name = [{"given": ["Mo"], "family": "Adeyemi"}]
        other = tw.create_resource({"resourceType": "Practitioner", "name": name})["id"]
        mo = tw.user("mo@clinic.example.org").members[0].profile
    capsys.readouterr()
    assert main(["audit", "list", "--who", "Mo Adeyemi"]) == 1
    told = capsys.readouterr().err
    assert "Mo Adeyemi is the name of 2" in told
    assert mo in told
    assert f"Practitioner/{other}" in told
    assert main(["audit", "list", "--who", "mo@clinic.example.org"]) == 0
    assert main(["client", "add", "billing"]) == main(["client", "add", "billing"]) == 0
    capsys.readouterr()
    assert main(["audit", "list", "--who", "billing"]) == 1
    assert capsys.readouterr().err.count("ClientApplication/") == 2


@pytest.mark.parametrize("option", ["--limit", "--count"])
def test_so_many_of_the_trail_are_listed(
    store: str, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    with threadwell.open(store) as tw:
        for _ in range(3):
            tw.create_resource({"resourceType": "Patient"})
    assert main(["audit", "list", option, "2"]) == 0
    told = capsys.readouterr().out
    assert told.endswith("\nThe newest 2; --limit shows more.\n")
    assert main(["audit", "list", option, "0"]) == 2


def test_who_is_not_there_yet_is_invited_with_both_names(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    email = "nobody@clinic.example.org"
    for given in ([], ["--first", "Noa"], ["--last", "Berg"]):
        assert main(["user", "invite", email, *given]) == 1
        told = capsys.readouterr().err
        assert "who is not in the store yet needs --first and --last" in told
    invited(email, "Noa", "Berg")


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

"""``threadwell policy age``, and what `policy give` and `policy list` tell of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from threadwell.cli import main

YEAR = datetime.now(UTC).year


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADWELL_STORE", str(tmp_path / "practice.db"))


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command prints; it is to succeed."""

    def told(*argv: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(list(argv)) == code
        out = capsys.readouterr()
        return out.out if code == 0 else out.err

    return told


def posted(told: Any, type_: str, **members: Any) -> str:
    body = json.dumps({"resourceType": type_, **members})
    return f"{type_}/{json.loads(told('post', type_, body))['id']}"


def child(told: Any, **members: Any) -> str:
    return posted(told, "Patient", **members)


@pytest.fixture
def mother(told: Any) -> str:
    told("policy", "set", "proxy")
    return posted(told, "RelatedPerson", patient={"reference": child(told)})


def test_an_age_is_chosen_and_told(told: Any) -> None:
    told("policy", "set", "proxy")
    assert told("policy", "age") == "No age is chosen.\n"
    assert told("policy", "age", "16") == "A patient is of age at 16.\n"
    assert json.loads(told("policy", "age", "--format", "json")) == {"age": 16, "hold_no_more": 0}
    for wrong in ("0", "26", "sixteen"):
        assert "1 to 25 years" in told("policy", "age", wrong, code=2)
    assert told("policy", "age", "none") == "No age is chosen.\n"


def test_the_list_says_until_when_a_grant_holds(told: Any, mother: str) -> None:
    told("policy", "set", "patient")
    told("policy", "age", "18")
    young = child(told, birthDate=f"{YEAR - 10}-05-04")
    grown = child(told, birthDate=f"{YEAR - 30}")
    nameless = child(told)
    until = ["--until", f"{YEAR + 3}-01-01"]
    for who, more, said in (
        (young, [], f"until {YEAR + 8}-05-04."),
        (grown, [], f"until {YEAR - 12}-01-01, does not hold."),
        (nameless, [], "does not hold, as no birth date or no age is known."),
        (grown, until, f"until {YEAR + 3}-01-01 (UTC)."),
        (young, ["--age", "12"], f"until {YEAR + 2}-05-04."),
    ):
        given = told("policy", "give", "proxy", mother, "--with", f"patient={who}", *more)
        assert given.endswith(f"Today: {said}\n")
    own = told("policy", "give", "patient", young, "--from-age")
    assert own.endswith(f"Today: from {YEAR + 8}-05-04, does not hold.\n")
    listed = told("policy", "list")
    # Each child is a grant of its own, and one that is given again is in the place of the former.
    assert f"{mother} [patient={young}: until {YEAR + 2}-05-04]" in listed
    assert f"{mother} [patient={grown}: until {YEAR + 3}-01-01 (UTC)]" in listed
    proxy = {p["id"]: p for p in json.loads(told("policy", "list", "--format", "json"))}["proxy"]
    assert proxy["given"] == [mother]
    assert {one["parameters"]["patient"]: one["until"] for one in proxy["grants"]} == {
        young: f"{YEAR + 2}-05-04",
        grown: f"{YEAR + 3}-01-01",
        nameless: None,
    }
    # The one without a birth date; that of the patient is yet to begin.
    assert "1 grant does not hold by it" in told("policy", "age")
    told("policy", "take", "proxy", mother, "--with", f"patient={young}")
    assert f"patient={young}:" not in told("policy", "list")
    assert f"patient={grown}:" in told("policy", "list")


def test_what_cannot_be_meant_is_refused(told: Any, mother: str) -> None:
    told("policy", "set", "participant")
    nora = posted(told, "Practitioner")
    give = ["policy", "give"]
    assert "no age is chosen" in told(*give, "participant", child(told), "--from-age", code=1)
    told("policy", "age", "18")
    assert "no patient" in told(*give, "participant", nora, "--from-age", code=1)
    wrong = [*give, "proxy", mother, "--with", "patient=Patient/1", "--age", "26"]
    assert "1 to 25 years" in told(*wrong, code=2)


def test_the_list_says_of_whom_a_grant_is_though_it_holds_for_good(told: Any) -> None:
    told("policy", "set", "care-team")
    nora, ana = posted(told, "Practitioner"), child(told)
    told("policy", "give", "care-team", nora, "--with", f"patient={ana}")
    assert f"{nora} [patient={ana}]" in told("policy", "list")


def test_a_role_that_is_not_kept_yet_is_named_with_the_command_that_keeps_it(told: Any) -> None:
    nora = posted(told, "Practitioner")
    give = ["policy", "give"]
    assert "`threadwell policy set supervisor`" in told(*give, "supervisor", nora, code=1)
    assert told(*give, "superviser", nora, code=1).endswith("there is no policy 'superviser'\n")

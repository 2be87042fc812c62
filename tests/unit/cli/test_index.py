"""``threadwell index`` as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from threadwell.cli import main


def test_parameters_are_added_left_out_and_brought_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THREADWELL_STORE", "a.db")
    text = '{"resourceType": "Patient", "id": "p%d", "birthDate": "2001-02-0%d"}\n'
    Path("p.ndjson").write_text("".join(text % (n, n) for n in range(1, 6)))
    parameter = {
        "resourceType": "SearchParameter",
        "url": "https://practice.example/SearchParameter/born",
        "name": "Born",
        "description": "d",
        "status": "active",
        "code": "born",
        "base": ["Patient"],
        "type": "date",
        "expression": "Patient.birthDate",
    }
    Path("born.json").write_text(json.dumps(parameter))
    assert main(["load", "p.ndjson", "--store", "a.db"]) == 0
    assert main(["index", "add", "born.json", "--wait"]) == 0
    assert main(["index", "off", "Patient.gender", "--wait"]) == 0
    capsys.readouterr()
    assert main(["index", "add", "born.json", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"type": "Patient", "code": "born", "state": "whole"},
        {"type": "Patient", "code": "gender", "state": "off"},
    ]
    assert main(["get", "Patient?born=2001-02-03&_elements=id"]) == 0
    assert "p3" in capsys.readouterr().out
    assert main(["index", "list", "Patient", "--format", "json"]) == 0
    costs = {one["code"]: one for one in json.loads(capsys.readouterr().out)}
    assert costs["birthdate"]["entries"] == 5
    assert costs["born"]["entries"] == 10
    assert costs["born"]["bytes"] > 0
    assert costs["gender"]["state"] == "off"
    assert main(["index", "on", "Patient.gender", "--wait"]) == 0
    for name, told in (("Patient.link", "cannot be left out"), ("Patient.shoe", "R4 has no")):
        assert main(["index", "off", name]) == 1
        assert told in capsys.readouterr().err
    loaded = {**parameter, "id": "day", "url": f"{parameter['url']}-day", "code": "day"}
    Path("s.ndjson").write_text(json.dumps(loaded))
    assert main(["load", "s.ndjson", "--store", "a.db"]) == 0
    assert main(["index", "--wait"]) == 0
    capsys.readouterr()
    assert main(["get", "Patient?day=2001-02-04&_elements=id"]) == 0
    assert "p4" in capsys.readouterr().out


def test_a_sample_is_of_the_newest_and_exact_is_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("threadwell.stores.costs.SAMPLE", 2)
    lines = [{"resourceType": "Patient", "id": f"p{n}", "gender": "other"} for n in range(8)]
    lines += [{"resourceType": "Patient", "id": f"q{n}"} for n in range(2)]
    for number, some in enumerate((lines[:8], lines[8:])):
        Path(f"{number}.ndjson").write_text("".join(json.dumps(one) + "\n" for one in some))
        assert main(["load", f"{number}.ndjson", "--store", "a.db"]) == 0
    found = []
    for more in ([], ["--exact"]):
        capsys.readouterr()
        asked = ["index", "list", "Patient", "--format", "json", "--store", "a.db"]
        assert main([*asked, *more]) == 0
        costs = {one["code"]: one for one in json.loads(capsys.readouterr().out)}
        found.append((costs.get("gender", {}).get("entries"), costs[None]["resources"]))
    assert found == [(None, 10), (8, 10)]

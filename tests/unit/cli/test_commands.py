"""The command as people type it: what it prints, where, and its exit code."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.cli import NAMES, commands, main
from threadwell.server import Serving

PATIENT = '{"resourceType": "Patient", "name": [{"family": "Prado"}]}'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THREADWELL_STORE", raising=False)
    return tmp_path


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command that works; its standard output as JSON."""

    def answer(*argv: str) -> Any:
        assert main(argv) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return answer


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.name)
def test_every_command_has_help_with_an_example(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command.name, "--help"]) == 0
    out = capsys.readouterr().out
    assert command.summary in " ".join(out.split())
    assert f"threadwell {command.name}" in out.partition("example")[2]
    assert max(map(len, out.splitlines())) <= 110


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ([], 2),
        (["--help"], 0),
        (["--version"], 0),
        (["nothing"], 2),
        (["get"], 2),
        (["import"], 2),
        (["answer", "task"], 2),
        (["import", "x", "--scope", "clinic"], 2),
        (["sessions", "--format", "xml"], 2),
        (["sessions", "--limit", "-1"], 2),
        (["sessions", "--from", "11/28/2026"], 2),
        (["sessions", "--status", "late"], 2),
        (["client", "remove", "x"], 2),
        (["client", "list", "x"], 2),
        (["client", "add"], 2),
        (["client", "rotate", " "], 2),
        (["serve", "--port", "many"], 2),
        (["serve", "--port", "99999"], 2),
        (["serve", "--workers", "0"], 2),
    ],
)
def test_wrong_usage_is_two(argv: list[str], code: int) -> None:
    assert main(argv) == code


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["get", "Patient"], "there is no store at threadwell.db"),
        (["sessions"], "there is no store at threadwell.db"),
        (["quarantine", "--store", "x.db"], "there is no store at x.db"),
        (["verify"], "there is no store at threadwell.db"),
        (["answer", "task", "patient"], "there is no store at threadwell.db"),
        (["sign-in"], "there is no store at threadwell.db"),
        (["post", "Patient", PATIENT, "--store", "no/folder/x.db"], "there is no folder no/folder"),
        (["post", "Patient", PATIENT, "--store", "mysql://x/y"], "no store is known for mysql://"),
        (["client", "add", "x", "--store", "."], "cannot open . for writing: Is a directory\n"),
        (["backup", "x.db"], "there is no store at threadwell.db"),
        (["backup", "x.db", "--store", ":memory:"], "nothing to back up"),
        (["backup", "x", "--store", "postgresql://a:b@c/d"], "pg_dump --format=custom --schema=th"),
        (["backup", ".", "--store", "postgresql://a:b@c/d"], "--file=threadwell.dump DATABASE"),
        (["client", "list"], "there is no store at threadwell.db"),
        (["client", "revoke", "x"], "there is no store at threadwell.db"),
        (["post", "Patient", "{"], "the body is not JSON"),
        (["post", "Patient", "@none.json"], "none.json: No such file"),
        (["post", "Patient", "none.json"], "; write @FILE for what is in a file, - for standard"),
        (["post", "Patient", "{}"], "resourceType"),
        (["post", "Communication", '{"resourceType": "Communication"}'], "Communication.status"),
        (["import", "nowhere"], "nowhere"),
        (["import", ".", "--people", "none.csv"], "none.csv"),
        (["serve", "--host", "192.0.2.1", "--port", "0"], "cannot listen on 192.0.2.1"),
    ],
)
def test_a_mistake_is_one_sentence_and_one(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("threadwell: ")
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--zone", "Mars/North"], "Mars/North"),
        (["--gap", "soon"], "soon"),
        (["--policy", "weekly"], "weekly"),
        (["--channel", "fax"], "fax"),
        (["--owner", "nobody"], "owner must be"),
        (["--country", "ZZ"], "country 'ZZ' is no country code"),
        (["--clinical-type", "99421"], "[CHANNEL=]SYSTEM|CODE"),
        (["--organization", "Organization/none"], "there is no organization"),
    ],
)
def test_a_setting_that_makes_no_sense_is_two_and_leaves_nothing(
    options: list[str], words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", ".", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("threadwell: ")
    assert words in err
    assert list(here.iterdir()) == []


def test_links_lead_to_the_server_that_is_named(
    answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = answer("post", "Patient", PATIENT)
    for variable, base in (
        ("", "http://127.0.0.1:8103"),
        ("https://threads.example.org/", "https://threads.example.org"),
    ):
        monkeypatch.setenv("THREADWELL_BASE_URL", variable)
        found = answer("get", "Patient?family=prado")
        assert found["entry"][0]["fullUrl"] == f"{base}/fhir/R4/Patient/{made['id']}"
        assert found["link"][0]["url"].startswith(f"{base}/fhir/R4/Patient?")
        assert answer("get", found["entry"][0]["fullUrl"]) == made


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_body_is_read_out_of_a_file(answer: Any, here: Path, encoding: str) -> None:
    (here / "patient.json").write_text(PATIENT.replace("Prado", "Pradó"), encoding)
    assert answer("post", "Patient", "@patient.json")["name"] == [{"family": "Pradó"}]


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_of_another_encoding_is_no_json(
    here: Path, encoding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "patient.json").write_text(PATIENT.replace("Prado", "Pradó"), encoding)
    assert main(["post", "Patient", "@patient.json"]) == 1
    assert capsys.readouterr().err.startswith("threadwell: patient.json is not JSON: ")


def test_a_command_is_known_by_its_own_name_and_loads_no_other() -> None:
    assert [command.name for command in commands()] == list(NAMES)
    assert [command.name for command in commands(["retract", "--help"])] == ["retract"]
    # What begins with no command is told which there are.
    assert commands(["--version"]) == commands(["sesions"]) == commands()
    loaded = "import sys; from threadwell.cli import commands; commands(['sessions'])"
    asked = f"{loaded}; print([one for one in sys.modules if one.startswith('threadwell.cli.')])"
    told = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert "threadwell.cli.sessions" in told.stdout
    assert "threadwell.cli.verify" not in told.stdout


def test_a_list_of_sessions_loads_neither_the_api_nor_what_takes_messages_in() -> None:
    asked = "import sys; from threadwell import facade; from threadwell.inbox import walking"
    asked = f"{asked}; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    loaded = told.stdout.split()
    assert "threadwell.inbox.walking" in loaded
    never = ("threadwell.api.rest", "threadwell.intake.importing", "threadwell.intake.acts")
    assert [one for one in loaded if one.startswith(never)] == []


def test_without_a_command_it_says_what_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "threadwell import ~/exports" in err
    assert all(command.summary in err for command in commands())


def test_the_verbs_work_on_a_store(answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    made = answer("post", "Patient", PATIENT)
    path = f"Patient/{made['id']}"
    assert answer("get", path) == made
    patch = '[{"op": "add", "path": "/active", "value": true}]'
    assert answer("patch", path, patch)["active"] is True
    assert "active" not in answer("put", path, json.dumps(made))
    assert answer("get", "Patient?family=prado&_total=accurate")["total"] == 1
    assert answer("delete", path)["id"] == "ok"
    assert main(["get", path]) == 1
    assert "Gone" in capsys.readouterr().err


def test_the_guides_searches_are_typed_as_they_stand(answer: Any) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    session = answer(
        "post",
        "Encounter",
        json.dumps(
            {
                "resourceType": "Encounter",
                "status": "in-progress",
                "class": {"system": system, "code": "VR"},
            }
        ),
    )
    encounter = {"reference": f"Encounter/{session['id']}"}
    header = {"resourceType": "Communication", "status": "in-progress", "encounter": encounter}
    made = answer("post", "Communication", json.dumps(header))
    virtual = answer("get", f"Encounter?class={system}|VR")
    threads = answer(
        "get", f"Communication?encounter={encounter['reference']}&part-of:missing=true"
    )
    assert [entry["resource"]["id"] for entry in virtual["entry"]] == [session["id"]]
    assert [entry["resource"]["id"] for entry in threads["entry"]] == [made["id"]]


@pytest.mark.parametrize("way", ["file", "input"])
def test_a_body_comes_from_a_file_or_from_standard_input(
    way: str, answer: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "patient.json").write_text(PATIENT)
    monkeypatch.setattr("sys.stdin", io.StringIO(PATIENT))
    made = answer("post", "Patient", "@patient.json" if way == "file" else "-")
    assert made["name"] == [{"family": "Prado"}]


def test_decimals_keep_their_digits(answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    observation = """{"resourceType": "Observation", "status": "final", "code": {"text": "weight"},
        "valueQuantity": {"value": 70.10, "unit": "kg"}}"""
    assert main(["post", "Observation", observation]) == 0
    assert '"value": 70.10' in capsys.readouterr().out


@pytest.mark.parametrize("store", ["own.db", "sqlite:///own.db", "variable"])
def test_the_store_is_an_option_or_a_variable(
    store: str, answer: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    option = ["--store", store]
    if store == "variable":
        monkeypatch.setenv("THREADWELL_STORE", "sqlite:///own.db")
        option = []
    answer("post", "Patient", PATIENT, *option)
    assert (here / "own.db").is_file()
    assert not (here / "threadwell.db").exists()


def test_a_client_is_told_its_secret_as_json(answer: Any) -> None:
    made = answer("client", "add", "billing")
    assert set(made) == {"client_id", "client_secret"}


def test_a_new_client_has_all_that_its_policy_asks_for(
    answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["policy", "set", "care-team"])
    command = ["client", "add", "family", "--policy", "care-team"]
    capsys.readouterr()
    assert main(command) == 1
    assert "%patient" in capsys.readouterr().err
    assert main(["client", "add", "family", "--with", "patient=Patient/9"]) == 2
    assert main([*command, "--with", "patient"]) == 2
    capsys.readouterr()
    with threadwell.open("threadwell.db") as tw:
        nora = f"Practitioner/{tw.create_resource({'resourceType': 'Practitioner'})['id']}"
    made = answer(*command, "--as", nora, "--with", "patient=Patient/9")
    with threadwell.open("threadwell.db") as tw:
        [one] = tw.memberships()
        assert one.who == f"ClientApplication/{made['client_id']}"
        assert one.profile == nora
        assert [dict(each.parameters) for each in one.grants] == [{"patient": "Patient/9"}]


def test_clients_are_listed_rotated_and_revoked(
    answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    first, twin = answer("client", "add", "billing"), answer("client", "add", "twice")
    answer("client", "add", "twice")
    rotated = answer("client", "rotate", "billing")
    assert rotated["client_id"] == first["client_id"]
    assert rotated["client_secret"] != first["client_secret"]
    listed = answer("client", "list", "--format", "json")
    assert [one["name"] for one in listed] == ["billing", "twice", "twice"]
    assert all("secret" not in key for one in listed for key in one)
    for name, words in (("twice", "2 clients are called twice"), ("none", "no client none")):
        assert main(["client", "revoke", name]) == 1
        assert words in capsys.readouterr().err
    assert main(["client", "revoke", twin["client_id"]]) == 0
    assert main(["client", "revoke", "billing"]) == 0
    assert main(["client", "list"]) == 0
    out = capsys.readouterr().out
    assert "1 client;" in out
    assert first["client_id"] not in out.split("Name")[1]


def test_a_sign_in_link_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    main(["client", "add", "billing"])
    capsys.readouterr()
    assert main(["sign-in", "--url", "https://inbox.example.org/"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("https://inbox.example.org/sign-in/")


def test_who_has_a_policy_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["client", "add", "billing"]) == 0
    capsys.readouterr()
    main(["post", "Practitioner", '{"resourceType": "Practitioner"}'])
    nora = f"Practitioner/{json.loads(capsys.readouterr().out)['id']}"
    link = ["sign-in", "--url", "https://inbox.example.org/", "--as", nora]
    capsys.readouterr()
    assert main(link) == 0
    assert capsys.readouterr().err == ""
    for who in (["billing", "--as", nora], [nora]):
        main(["policy", "set", "participant"])
        assert main(["policy", "give", "participant", *who]) == 0
    capsys.readouterr()
    assert main(link) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1
    assert f"{nora} has an access policy, so they see on the pages what it shows" in told.err
    assert main(["policy", "list"]) == 0
    listed = capsys.readouterr().out
    assert "billing (ClientApplication/" in listed
    assert nora in listed


@pytest.mark.parametrize(
    "url",
    [
        "x.example.org",
        "ftp://x.example.org",
        "https://",
        "https://a b",
        "https://[::1",
        "https://x?y",
    ],
)
@pytest.mark.parametrize(
    ("command", "what"),
    [
        (["sign-in", "--url"], "the base URL"),
        (["serve", "--port", "0", "--base-url"], "the base URL"),
        (["serve", "--port", "0", "--also-at"], "the other URL"),
    ],
)
def test_an_address_that_is_no_url_is_refused(
    command: list[str], what: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["client", "add", "billing"])
    capsys.readouterr()
    assert main([*command, url]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"threadwell: {what} {url!r} is no URL such as https://threadwell.example.org\n"


def test_a_variable_that_is_no_url_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    monkeypatch.setenv("THREADWELL_BASE_URL", "x.example.org")
    assert main(["post", "Patient", PATIENT]) == 2
    assert "THREADWELL_BASE_URL 'x.example.org' is no URL" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_the_address_of_the_server_may_be_a_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["client", "add", "billing"])
    served: list[str | None] = []

    def serve(settings: Serving, _ready: Any) -> int:
        served.append(settings.base_url)
        return 0

    monkeypatch.setattr("threadwell.server.serve", serve)
    for variable in ("https://threads.example.org", ""):
        monkeypatch.setenv("THREADWELL_BASE_URL", variable)
        assert main(["serve"]) == 0
        assert main(["serve", "--base-url", "https://other.example.org"]) == 0
        assert main(["sign-in"]) == 0
    assert served == [
        "https://threads.example.org",
        "https://other.example.org",
        None,
        "https://other.example.org",
    ]
    out, err = capsys.readouterr()
    first, second = out.splitlines()[-2:]
    assert first.startswith("https://threads.example.org/sign-in/")
    assert second.startswith("http://127.0.0.1:8103/sign-in/")
    assert err.count("no server seems to run") == 1


def test_the_unexpected_is_a_sentence_unless_debugging(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("Ana Prado")

    monkeypatch.setattr("threadwell.open", broken, raising=False)
    assert main(["get", "Patient"]) == 1
    err = capsys.readouterr().err
    assert "RuntimeError" in err
    assert "--debug" in err
    assert "Ana" not in err
    assert main(["get", "Patient", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_reason_to_fail(here: Path, closed: str) -> None:
    python = shlex.quote(sys.executable)
    run = f"exec {python} -m threadwell client add x --store x.db {closed}"
    done = subprocess.run(["sh", "-c", run], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    # Nothing that was printed went into a file that took the stream's place.
    assert (here / "x.db").read_bytes().startswith(b"SQLite format 3\0")
    assert main(["client", "add", "y", "--store", "x.db"]) == 0

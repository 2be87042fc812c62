"""@medplum/cli, as published, against a real server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

BINARY = Path(__file__).parent / "clients" / "node_modules" / "@medplum" / "cli"

pytestmark = pytest.mark.node
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(node, server, tmp_path_factory) -> Path:
    """Where somebody is at home who has logged in."""
    folder = tmp_path_factory.mktemp("home")
    credentials = ["--client-id", server.client_id, "--client-secret", server.client_secret]
    base = ["--auth-type", "client-credentials", "--base-url", server.base_url]
    logged_in = _runs(node, server, folder, folder)("login", *base, *credentials)
    assert logged_in.returncode == 0, logged_in.stderr
    return folder


@pytest.fixture
def medplum(node, server, home, tmp_path) -> Run:
    """Runs one ``medplum`` command, logged in, in a folder of the test's own."""
    return _runs(node, server, home, tmp_path)


def _runs(node, server, home: Path, folder: Path) -> Run:
    package = json.loads((BINARY / "package.json").read_text())
    script = str(BINARY / package["bin"]["medplum"])

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*node, script, *arguments],
            cwd=folder,
            env={**server.environment, "HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_whoami(medplum: Run) -> None:
    shown = medplum("whoami")
    assert shown.returncode == 0, shown.stderr
    assert "tests" in shown.stdout


def test_create_search_patch_delete(medplum: Run) -> None:
    body = {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "VR",
            "display": "virtual",
        },
    }
    made = json.loads(_out(medplum("post", "Encounter", json.dumps(body))))
    query = "Encounter?class=http://terminology.hl7.org/CodeSystem/v3-ActCode|VR&_count=1000"
    bundle = json.loads(_out(medplum("get", query)))
    assert made["id"] in [entry["resource"]["id"] for entry in bundle["entry"]]

    change = [{"op": "replace", "path": "/status", "value": "finished"}]
    patched = json.loads(_out(medplum("patch", f"Encounter/{made['id']}", json.dumps(change))))
    assert patched["status"] == "finished"
    put = json.loads(_out(medplum("put", f"Encounter/{made['id']}", json.dumps(made))))
    assert put["status"] == "in-progress"
    _out(medplum("delete", f"Encounter/{made['id']}"))
    assert medplum("get", f"Encounter/{made['id']}").returncode != 0


def test_a_mistake_is_explained(medplum: Run) -> None:
    refused = medplum("post", "Communication", '{"resourceType":"Communication"}')
    assert refused.returncode != 0
    assert "Missing required property" in refused.stderr


def _out(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bulk_export(medplum: Run, server, tmp_path: Path) -> None:
    """What the server has of a type is a file where the command is called."""
    made = json.loads(
        _out(medplum("post", "Organization", '{"resourceType":"Organization","name":"X"}'))
    )
    target = tmp_path / "exported"
    target.mkdir()
    told = _out(medplum("bulk", "export", "-t", "Organization", "-d", str(target)))
    files = list(target.glob("*.ndjson"))
    assert files, told
    lines = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    (mine,) = [line for line in lines if line["id"] == made["id"]]
    assert mine["name"] == "X"
    # Medplum's marks are for who asks in its form: files are plain FHIR.
    assert "author" not in mine["meta"]

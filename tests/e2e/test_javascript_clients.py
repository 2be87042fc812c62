"""Released JavaScript clients run against a real server: each file is a node:test suite."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

import threadwell

CLIENTS = Path(__file__).parent / "clients"


def second_project(store: str) -> dict[str, str]:
    """Another organisation on the same server, which runs already; and a client of its own."""
    with threadwell.open(store) as tw:
        project = tw.create_project("Riverside Clinic")
    with threadwell.open(store, project="riverside clinic") as tw:
        client = tw.add_client("tests")
    # A running server knows of it within two seconds.
    time.sleep(2)
    return {
        "OTHER_PROJECT": project.id,
        "OTHER_CLIENT_ID": client.client_id,
        "OTHER_CLIENT_SECRET": client.client_secret,
    }


@pytest.mark.node
@pytest.mark.parametrize("suite", sorted(path.name for path in CLIENTS.glob("*.test.mjs")))
def test_suite(suite: str, node: list[str], server) -> None:
    environment = server.environment
    if suite == "projects.test.mjs":
        environment |= second_project(server.store)
    # Without --test there is no second Node, which would do no more than to start this one.
    run = subprocess.run(
        [*node, "--test-reporter=tap", suite],
        cwd=CLIENTS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    shown = [line[:200] for line in (run.stdout + run.stderr).splitlines()]
    assert run.returncode == 0, "\n".join(shown[-120:])
    assert "# fail 0" in run.stdout
    assert "# pass 0" not in run.stdout

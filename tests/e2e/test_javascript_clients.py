"""Released JavaScript clients run against a real server: each file is a node:test suite."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parent / "clients"


@pytest.mark.node
@pytest.mark.parametrize("suite", sorted(path.name for path in CLIENTS.glob("*.test.mjs")))
def test_suite(suite: str, node: list[str], server) -> None:
    run = subprocess.run(
        [*node, "--test", "--test-reporter=tap", suite],
        cwd=CLIENTS,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    shown = [line[:200] for line in (run.stdout + run.stderr).splitlines()]
    assert run.returncode == 0, "\n".join(shown[-120:])
    assert "# fail 0" in run.stdout
    assert "# pass 0" not in run.stdout

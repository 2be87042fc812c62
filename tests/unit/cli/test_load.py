"""``threadwell load`` as people type it."""

from __future__ import annotations

from pathlib import Path

import pytest

from threadwell.cli import main


def test_a_store_without_a_zone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.ndjson").write_text('{"resourceType": "Patient", "id": "p"}\n')
    assert main(["load", "p.ndjson", "--store", "a.db"]) == 0
    assert "its days are those of UTC" in capsys.readouterr().out
    assert main(["recut", "--zone", "America/New_York", "--store", "a.db"]) == 0
    capsys.readouterr()
    assert main(["load", "p.ndjson", "--store", "a.db"]) == 0
    assert "UTC" not in capsys.readouterr().out

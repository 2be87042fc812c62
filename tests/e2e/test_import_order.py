"""The sample's files in any order, in parts and several times over: always the same record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import threadwell

SAMPLE = Path(__file__).parents[2] / "sample"
FILES = sorted(
    path
    for folder in ("email", "sms", "whatsapp")
    for path in (SAMPLE / folder).iterdir()
    if not path.name.startswith("README")
)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store into which the sample was imported as a whole."""
    store = tmp_path_factory.mktemp("order") / "at_once.db"
    import_parts(store, [[SAMPLE]])
    return store


def import_parts(store: Path, parts: Sequence[Sequence[Path]]) -> None:
    for part in parts:
        with threadwell.open(store) as tw:
            report = tw.import_messages(
                part, people=SAMPLE / "people.csv", zone="America/New_York", policy="per-day"
            )
        counts = report.counts
        assert counts.read == counts.new + counts.known + counts.quarantined


@pytest.mark.parametrize(
    "parts",
    [
        [[path] for path in reversed(FILES)],
        [FILES[1::2], FILES, FILES[::2]],
        [FILES[3:], [SAMPLE], FILES[:3] * 2],
    ],
    ids=["one by one, backwards", "odd, all, even", "some, all, some twice"],
)
def test_the_record_is_the_same(
    parts: Sequence[Sequence[Path]], at_once: Path, tmp_path: Path, live_resources: Any
) -> None:
    import_parts(tmp_path / "parts.db", parts)
    expected, found = live_resources(at_once), live_resources(tmp_path / "parts.db")
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []
    with threadwell.open(tmp_path / "parts.db") as tw:
        assert tw.verify() == []

"""The worlds share an event loop, and what keeps it is let go at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.access.world import KEPT


@pytest.fixture(scope="session", autouse=True)
def _loop() -> Iterator[None]:
    yield
    KEPT.close()

"""What the properties share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.property.loop import KEPT


@pytest.fixture(scope="session", autouse=True)
def _loop() -> Iterator[None]:
    yield
    KEPT.close()

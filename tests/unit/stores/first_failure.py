"""A plugin of pytest: of a class that has failed once nothing more is run."""

from __future__ import annotations

import pytest

_failed: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the class of a test that failed."""
    if report.failed:
        _failed.add(_class_of(report.nodeid))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Pass over the other tests of such a class."""
    if _class_of(item.nodeid) in _failed:
        pytest.skip("its class has failed")


def _class_of(nodeid: str) -> str:
    return nodeid.partition("[")[0].rpartition("::")[0]

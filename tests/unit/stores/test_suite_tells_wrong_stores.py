"""The shipped suite is strict: it tells each of the stores that break the contract."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

HERE = Path(__file__).resolve().parent
WRONG = HERE / "wrong_stores.py"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory) -> dict[str, Counter[str]]:
    """Of each store how many of the tests it passed that tell such stores, and how many not."""
    report = tmp_path_factory.mktemp("verdicts") / "report.xml"
    command = [sys.executable, "-m", "pytest", str(WRONG), f"--junitxml={report}"]
    command += ["-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "-o", "python_files=*.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout[-2000:] + done.stderr
    out: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        store = case.attrib["classname"].rpartition(".Test")[2]
        ends = [end.tag for end in case] or ["passed"]
        out.setdefault(store, Counter())[ends[0]] += 1
    return out


def test_the_right_store_passes(verdicts):
    assert verdicts["Right"]["failure"] == 0
    assert verdicts["Right"]["passed"] > 20


def test_every_wrong_store_is_told(verdicts):
    wrong = {store for store in verdicts if store != "Right"}
    assert len(wrong) >= 10
    assert {store for store in wrong if not verdicts[store]["failure"]} == set()
    assert not any(count["error"] for count in verdicts.values()), "each fails by its fault alone"

"""A module of tests is imported by its whole name: two folders may have one of the same name.

By its bare name it would be whichever folder came first, which is another one from run to run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FILES = [path for path in TESTS.rglob("*.py") if "node_modules" not in path.parts]
#: What is in a folder; the few modules beside `tests/conftest.py` have names of their own.
WITHIN = {path.stem for path in FILES if path.parent != TESTS}


def bare(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module in WITHIN:
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name in WITHIN)


def test_no_module_of_tests_is_imported_by_its_bare_name() -> None:
    found = [f"{path.relative_to(TESTS)}: {name}" for path in FILES for name in bare(path)]
    assert found == []

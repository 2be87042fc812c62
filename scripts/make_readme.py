"""Writes what the README shows of `make run`: the sample practice is imported, and nothing served.

Rows of the sessions are left out but for a few; secrets stand for themselves. A test fails where
the README shows anything else.
"""

from __future__ import annotations

import re
import sys
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import run_sample
import threadwell
from threadwell.server import Ready

README = Path(__file__).resolve().parent.parent / "README.md"

_BLOCK = re.compile(r"(<!-- output: make run -->\n```text\n).*?(^```$)", re.DOTALL | re.MULTILINE)
_URL = "http://127.0.0.1:8103/"
_CLIENT = {"client_id": "3e328659-…", "client_secret": "2f94925e…"}
_STORE = "threadwell-sample.db"
#: How many rows of the sessions are shown.
_ROWS = 6


def main() -> int:
    """Write the README anew."""
    README.write_text(written(README.read_text("utf-8")), "utf-8")
    return 0


def written(readme: str) -> str:
    """The README with what `make run` prints now."""
    output = _shortened(_printed())
    return _BLOCK.sub(lambda block: f"{block[1]}{output}{block[2]}", readme)


def _printed() -> str:
    out = StringIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(StringIO()),
        threadwell.open(_STORE) as tw,
    ):
        run_sample.show(tw, _STORE)
        run_sample.tell(Ready(_URL, f"{_URL}sign-in/vnMIiNI7…"), _CLIENT, live=True)
    return out.getvalue().lstrip("\n")


def _shortened(text: str) -> str:
    before, head, rest = re.split(r"^(Patient  .*\n)", text, maxsplit=1, flags=re.MULTILINE)
    table, after = rest.split("\n\n", maxsplit=1)
    rows = table.splitlines()
    of_two = next((row for row in rows[_ROWS:] if " & " in row), "")
    shown = [*rows[:_ROWS], "…", *([of_two, "…"] if of_two else [])]
    return f"{before}{head}{chr(10).join(shown)}\n\n{after}"


if __name__ == "__main__":
    sys.exit(main())

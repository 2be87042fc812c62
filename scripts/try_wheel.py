"""What ``make wheel`` runs: build the package, install it with pipx, and use it without a clone.

The wheel stays in ``dist``. Everything else happens in a folder of its own: a home, an import and
a server that know nothing of this checkout. What a page needs but the package lacks shows here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from urllib.request import urlopen

import toolbox

DIST = toolbox.ROOT / "dist"
#: A page's parts: the health of the server, the sign-in page, a style sheet of the pages.
PATHS = ("healthcheck", "fhir/R4/metadata", "static/inbox.css")
ROWS = """id,sent,from,to,text
m1,2025-03-04T09:00:00-05:00,+12075550111,+12075550100,Is it too early for the second dose?
m2,2025-03-04T09:20:00-05:00,+12075550100,+12075550111,Tomorrow is early enough.
"""
PEOPLE = """kind,id,family,given,phone
organization,office,Kestrel Bay Clinic,,+12075550100
patient,ana,Prado,Ana,+12075550111
"""


def main() -> int:
    shutil.rmtree(DIST, ignore_errors=True)
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(DIST))
    [wheel] = DIST.glob("threadwell-*.whl")
    with tempfile.TemporaryDirectory(prefix="threadwell-wheel-") as folder:
        home = Path(folder)
        threadwell = _installed(wheel, home)
        _use(threadwell, home)
    print(f"{wheel.relative_to(toolbox.ROOT)} installs with pipx, imports and serves.")
    return 0


def _installed(wheel: Path, home: Path) -> str:
    """The command, installed as ``pipx install`` does."""
    tools = home / "tools"
    venv.create(tools, with_pip=True)
    pip = [str(tools / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
    _run(*pip, "--require-hashes", "-r", str(toolbox.ROOT / "locks" / "pipx.txt"))
    environment = {"PIPX_HOME": str(home / "pipx"), "PIPX_BIN_DIR": str(home / "bin")}
    environment["PIPX_DEFAULT_PYTHON"] = sys.executable
    _run(str(tools / "bin" / "pipx"), "install", "-q", str(wheel), home=home, **environment)
    return str(home / "bin" / "threadwell")


def _use(threadwell: str, home: Path) -> None:
    (home / "messages.csv").write_text(ROWS)
    (home / "people.csv").write_text(PEOPLE)
    _run(threadwell, "import", "messages.csv", "--people", "people.csv", "--zone", "UTC", home=home)
    _run(threadwell, "verify", home=home)
    command = [threadwell, "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            first = server.stdout.readline()
            url = first.split(" on ")[-1].strip()
            for path in PATHS:
                with urlopen(url + path, timeout=20) as answer:
                    assert answer.status == 200, path
        finally:
            server.terminate()


def _run(*command: str, home: Path | None = None, **environment: str) -> None:
    """Run it, in that home where one is given; a failure ends this script with its output."""
    more = {"HOME": str(home), **environment} if home else environment
    done = subprocess.run(
        command, cwd=home or toolbox.ROOT, env={**os.environ, **more}, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}")


if __name__ == "__main__":
    sys.exit(main())

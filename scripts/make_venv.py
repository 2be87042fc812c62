"""Make the virtual environment, installing Debian's venv package where that is what is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys


def main(target: str) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - this script is what tells an older Python
        print(f"Threadwell needs Python 3.11 or later; this is {sys.version.split()[0]}.")
        return 1
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        if shutil.which("apt-get") and os.geteuid() == 0:
            subprocess.run(["apt-get", "update", "-q"], check=False)
            subprocess.run(["apt-get", "install", "-qy", package], check=True)
        else:
            print(f"Python's venv module is not complete here. Install it: apt install {package}")
            return 1
    return subprocess.run([sys.executable, "-m", "venv", target], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

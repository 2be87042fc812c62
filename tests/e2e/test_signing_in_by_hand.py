"""The commands of docs/signing-in.md by which a person signs in over HTTP, as they are pasted."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import stem
import threadwell

PAGE = Path(__file__).resolve().parents[2] / "docs" / "signing-in.md"
EMAIL = "robin@clinic.example.org"
PASSWORD = "four walls and a garden"


def block() -> str:
    """The one block of commands that asks for a login."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (found,) = [one for one in blocks if "auth/login" in one]
    assert f"EMAIL={EMAIL}\nPASSWORD='{PASSWORD}'\n" in found
    return str(found)


@pytest.mark.parametrize("password", [PASSWORD, "another one altogether"])
def test_a_person_signs_in(tmp_path: Path, password: str) -> None:
    store = str(tmp_path / "practice.db")
    with threadwell.open(store) as tw:
        tw.invite(EMAIL, first="Robin", last="Ash", policy="participant")
        tw.set_user_password(EMAIL, PASSWORD)
        (member,) = tw.user(EMAIL).members
    serve = [sys.executable, "-m", "threadwell", "serve", "--store", store]
    serve += ["--port", "0", "--no-duties"]
    with stem.start(serve, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            found = next(filter(None, (re.search(r"http\S+/sign-in/", x) for x in process.stdout)))
            commands = block().replace("http://127.0.0.1:8103", found[0].removesuffix("/sign-in/"))
            commands = commands.replace(PASSWORD, password)
            run = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", commands],
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
        finally:
            process.terminate()
    if password == PASSWORD:
        assert run.returncode == 0, run.stderr
        assert json.loads(run.stdout)["profile"]["id"] == member.profile.partition("/")[2]
    else:
        assert run.returncode != 0
        assert run.stdout == ""

"""No page has the store itself: what it reads and writes goes through its caller's view."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import threadwell.inbox

INBOX = Path(threadwell.inbox.__file__).parent
#: What has the store, each with the reason.
WITH = {
    "account_page.py": "what is kept of somebody's own account is no resource",
    "account_passkeys.py": "passkeys are no resources",
    "app.py": "finds out who is signed in, and gives each page what they see",
    "coming_in.py": "who signs in does not see anything yet",
    "counting.py": "remembers numbers by the store that they are of",
    "choosing.py": "accounts and projects are no resources",
    "deliveries.py": "deliveries are no resources, and there for those without a policy alone",
    "doors.py": "links and cookies are no resources",
    "entering.py": "who signs in does not see anything yet",
    "entrance.py": "passwords and codes are no resources",
    "entrance_forms.py": "which second factors somebody has is no resource",
    "kept.py": "how a practice is set up is no resource",
    "outside_doors.py": "providers and accounts are no resources",
    "passkey_doors.py": "passkeys are no resources",
    "read_state.py": "how far somebody has read is noted for themselves",
    "reader.py": "hands it on to kept.py",
    "seeking.py": "what somebody has typed into a search is no resource",
    "signing_off.py": "providers are no resources",
    "site.py": "makes each caller's view, and checks what they do",
    "stream.py": "looks whether somebody is still signed in",
}
#: Modules that are the store's own side of the pages, and are given it.
OF_THE_STORE = {
    *("browsers.py", "dates.py", "news.py", "people.py", "places.py", "sign_in.py", "viewing.py"),
    "whereabouts.py",
}
FORBIDDEN = {"whole", "store", "_store"}

PAGES = sorted(path.name for path in INBOX.glob("*.py") if path.name not in {*WITH, *OF_THE_STORE})


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_a_view(name: str) -> None:
    tree = ast.parse((INBOX / name).read_text("utf-8"))
    used = [
        f"line {node.lineno}: .{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN
    ]
    assert used == []


@pytest.mark.parametrize("name", WITH)
def test_every_exception_is_one_still(name: str) -> None:
    """What needs the store no more is no exception any more."""
    assert "whole" in (INBOX / name).read_text("utf-8")

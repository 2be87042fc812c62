"""No handler has the store itself: what it reads and writes goes through its caller's view."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import threadwell.api
from threadwell.api import watched
from threadwell.api.endpoints import table
from threadwell.api.rest import routes

API = Path(threadwell.api.__file__).parent
#: The ways in whose callers have no policy, each with the reason.
WITHOUT = {
    "context.py": "makes the context",
    "chat": "a patient's token opens that patient's own threads, which intake.chat sees to",
    "admin": "registrations, policies and accounts are no resources; for who may do everything",
    "endpoints/auth": "accounts are no resources, and each endpoint is about its caller's own",
    "endpoints/invite.py": "for those alone who may do everything",
    "projects": "which project a request is about is found before it is known who asks",
    "endpoints/hooks.py": "a provider delivers, and reads nothing",
    "endpoints/logout.py": "logins are no resources",
    "subscriptions/app.py": "follows what changes; each listener is told what their view shows",
    "rest/billed.py": "what was billed holds for whoever changes it, and nothing of it is shown",
    "rest/export.py": "an export is no resource; what is in it is what its caller's view shows",
    "rest/import_.py": "an import is no resource; what it writes goes through its caller's view",
    "rest/import_asked.py": "what may be fetched is a setting of the practice, and no resource",
    "rest/missed.py": "goes through what has changed; each change is what its caller's view shows",
    "rest/search_parameters.py": "which search parameters there are is no secret",
    "endpoints/oauth2/tokens_told.py": "logins are no resources",
    "endpoints/oauth2/outside_tokens.py": "logins and providers are no resources",
    "endpoints/storage.py": "the signature of the URL stands for the token",
}
#: Names of a context that lead to the store itself, and what would have kept it.
FORBIDDEN = {"whole", "store"}

HANDLERS = sorted(
    path.relative_to(API).as_posix()
    for path in API.rglob("*.py")
    if not path.relative_to(API).as_posix().startswith(("oauth/", "load/", *WITHOUT))
    and path.name not in ("readiness.py",)
)


@pytest.mark.parametrize("name", HANDLERS)
def test_a_handler_has_a_view(name: str) -> None:
    tree = ast.parse((API / name).read_text("utf-8"))
    used = [
        f"line {node.lineno}: .{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN
    ]
    assert used == []


def test_every_exception_is_one_still() -> None:
    """What needs the store no more is no exception any more."""
    for name in WITHOUT:
        paths = [API / name] if name.endswith(".py") else sorted((API / name).rglob("*.py"))
        assert any(
            ".whole" in path.read_text("utf-8") or "whole=" in path.read_text("utf-8")
            for path in paths
        ), name


#: What each endpoint beside FHIR is in the audit trail; ``nothing``: it shows nothing of anybody.
RECORDED = {
    "login": ("oauth2", "auth"),
    "file": ("storage",),
    "nothing": (
        *("healthcheck", "health", "metrics", ".well-known"),
        # A delivery is recorded once it is taken in.
        "hooks",
    ),
    # Each request: test_account_trail.py asks every endpoint.
    "administration": ("admin", "fhir"),
}


def test_every_endpoint_has_its_place_in_the_trail() -> None:
    """A new way to data has to say how it is recorded: docs/audit.md."""
    known = {name for names in RECORDED.values() for name in names}
    there = {path.partition("/")[0] for path in (*table._PATHS, *table._PATTERNS)}
    assert there <= known
    assert {name for name in there if table.interaction_of(f"{name}/x") == "login"} == set(
        RECORDED["login"]
    )
    paths = {path.lstrip("/").replace("*", "x") for path in table.paths()}
    recorded = {path for path in paths if table.is_administration(path)}
    of_these = {path for path in paths if path.startswith(("admin/", "fhir/"))}
    assert recorded <= of_these
    assert of_these - recorded == {"fhir/R4/.well-known/smart-configuration"}


def test_every_interaction_is_recorded() -> None:
    """By its view, where it reads; by its commit, where it writes."""
    writes = {"create", "update", "patch", "delete", "batch", "transaction"}
    named = set(routes._INTERACTIONS.values())
    assert named <= watched.READS | writes | {"capabilities"}

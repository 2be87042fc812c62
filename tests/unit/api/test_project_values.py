"""Secrets, settings and sites of a project: sealed, and shown to administrators alone."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from threadwell.stores.contract import DEFAULT_PROJECT

PROJECT = f"/admin/projects/{DEFAULT_PROJECT}"
SECRETS = [{"name": "API_KEY", "valueString": "open sesame"}, {"name": "N", "valueInteger": 3}]
SETTINGS = [{"name": "on", "valueBoolean": True}, {"name": "part", "valueDecimal": 0.5}]
SITES = [{"name": "portal", "domain": ["portal.example.org"], "googleClientId": "g"}]


def test_they_are_kept_sealed_and_told_to_administrators(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THREADWELL_SECRETS_KEY", Fernet.generate_key().decode())
    given = (("secrets", SECRETS), ("settings", SETTINGS), ("sites", SITES))
    for name, values in given:
        answer = api.call("POST", f"{PROJECT}/{name}", values)
        assert (answer.status_code, answer.json()["id"]) == (200, "ok"), answer.text
    told = api.call("GET", PROJECT).json()["project"]
    assert (told["secret"], told["setting"], told["site"]) == (SECRETS, SETTINGS, SITES)
    kept = api.run(api.store.get_private("project-values", DEFAULT_PROJECT))
    assert b"sesame" not in kept
    # Neither by any other way, nor in the trail.
    for path in ("/auth/me", f"Project/{DEFAULT_PROJECT}", "AuditEvent?_count=100"):
        answer = api.call("GET", path)
        assert answer.status_code == 200
        assert "sesame" not in answer.text
        assert "API_KEY" not in answer.text
    assert api.call("POST", f"{PROJECT}/secrets", []).status_code == 200
    told = api.call("GET", PROJECT).json()["project"]
    assert "secret" not in told
    assert told["setting"] == SETTINGS


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("secrets", {}),
        ("secrets", ["x"]),
        ("secrets", [{"valueString": "x"}]),
        ("secrets", [{"name": ""}]),
        ("secrets", [{"name": "a"}]),
        ("secrets", [{"name": "a", "valueString": 1}]),
        ("settings", [{"name": "a", "valueInteger": True}]),
        ("settings", [{"name": "a", "valueString": "x" * 5000}]),
        ("settings", [{"name": "a", "valueString": "x", "valueInteger": 1}]),
        ("settings", [{"name": "a", "valueDate": "2024-01-01"}]),
        ("settings", [{"name": "a", "valueString": "x"}] * 2),
        ("sites", [{"name": "a", "domain": "x"}]),
        ("sites", [{"name": "a", "domain": [1]}]),
        ("sites", [{"name": "a", "other": "x"}]),
        ("secrets", b"{"),
    ],
)
def test_what_cannot_be_meant(new_api: Any, name: str, given: Any) -> None:
    api = new_api()
    assert api.call("POST", f"{PROJECT}/{name}", given).status_code == 400
    assert set(api.call("GET", PROJECT).json()["project"]).isdisjoint(("secret", "setting", "site"))


def test_another_project_is_none(new_api: Any) -> None:
    api = new_api()
    assert api.call("POST", f"/admin/projects/{api.never}/secrets", []).status_code == 404

"""One large request leaves the server to the others."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

JSON_PATCH = "application/json-patch+json"


@pytest.mark.parametrize(
    ("slow", "method"),
    [
        ("accept.validate", "POST"),
        ("accept.validate", "PUT"),
        ("accept.validate", "PATCH"),
        ("accept.validate", "$validate"),
        ("accept.validate", "transaction"),
        ("accept.validate", "batch"),
        ("update.updated", "PUT"),
        ("patch.apply_patch", "PATCH"),
        ("elements.subset", "GET"),
        ("elements.subset", "search"),
        ("elements.subset", "history"),
    ],
)
def test_others_are_answered_while_a_large_one_is_looked_through(
    new_api, monkeypatch: pytest.MonkeyPatch, slow: str, method: str
) -> None:
    api = new_api()
    made = api.make(name=[{"text": "x" * 100_000}])
    path = f"Patient/{made['id']}"
    answered = threading.Event()
    seen: list[bool] = []
    name, function = slow.split(".")
    module = __import__(f"threadwell.api.rest.{name}", fromlist=[function])
    real = getattr(module, function)

    def waits(*of: Any, **more: Any) -> Any:
        seen.append(answered.wait(60))
        return real(*of, **more)

    monkeypatch.setattr(module, function, waits)
    changed = {**made, "active": True}
    entry = api.entry("POST", "Patient", made)
    bundle = {"resourceType": "Bundle", "entry": [entry]}
    calls: dict[str, tuple[Any, ...]] = {
        "POST": ("POST", "Patient", made),
        "PUT": ("PUT", path, changed),
        "PATCH": ("PATCH", path, [{"op": "add", "path": "/active", "value": True}]),
        "$validate": ("POST", "Patient/$validate", made),
        "transaction": ("POST", "", {**bundle, "type": "transaction"}),
        "batch": ("POST", "", {**bundle, "type": "batch"}),
        "GET": ("GET", f"{path}?_elements=active"),
        "search": ("GET", "Patient?_elements=active"),
        "history": ("GET", f"{path}/_history?_elements=active"),
    }

    async def health() -> int:
        answer = await api.send("GET", "/health/live")
        answered.set()
        return answer.status_code

    async def both() -> list[int]:
        large, live = await asyncio.gather(api.send(*calls[method]), health())
        return [large.status_code // 100, live]

    assert api.run(both()) == [2, 200]
    assert seen
    assert all(seen)

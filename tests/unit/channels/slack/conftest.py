"""Exports of an invented workspace."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Path]

ANA, OKAFOR, LEE = "U0ANAPRADO", "U0OKAFOR00", "U0LEE00000"
PEOPLE = [
    {"id": ANA, "name": "ana", "profile": {"real_name": "Ana Prado", "email": "Ana@example.org"}},
    {
        "id": OKAFOR,
        "name": "mokafor",
        "profile": {"real_name": "Miriam Okafor", "email": "m.okafor@clinic.example.com"},
    },
    {"id": LEE, "name": "lee", "real_name": "Lee", "profile": {"display_name": ""}},
]
CHANNELS = [{"id": "C0CARE0001", "name": "care", "members": [ANA, OKAFOR]}]


def said(ts: str, text: str, user: str = ANA, **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": user, "text": text, "ts": ts, **more}


@pytest.fixture
def export(tmp_path: Path) -> Make:
    """Writes an export: the days by ``folder/day``, and its lists."""

    def make(
        days: dict[str, Any],
        *,
        name: str = "export",
        people: Any = PEOPLE,
        channels: Any = CHANNELS,
        **lists: Any,
    ) -> Path:
        root = tmp_path / name
        written = {**days, "users": people, "channels": channels, **lists}
        for path, content in written.items():
            file = root / f"{path}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            raw = content if isinstance(content, bytes) else json.dumps(content, indent=4).encode()
            file.write_bytes(raw)
        return root

    return make

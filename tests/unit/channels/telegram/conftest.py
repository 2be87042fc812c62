"""Exports of invented people."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Make = Callable[..., Path]

ANA, CLINIC, LEE = "user701", "user900", "user702"


def said(id_: int, text: Any, who: str = ANA, **more: Any) -> dict[str, Any]:
    second = 1709650800 + id_
    return {
        "id": id_,
        "type": "message",
        "date": "2024-03-05T10:00:00",
        "date_unixtime": str(second),
        "from": {ANA: "Ana Prado", CLINIC: "Elm Street", LEE: "Lee"}.get(who),
        "from_id": who,
        "text": text,
        "text_entities": [],
        **more,
    }


def chat(*messages: Any, kind: str = "personal_chat", id_: int = 701, **more: Any) -> Any:
    return {"name": "Ana Prado", "type": kind, "id": id_, "messages": [*messages], **more}


def account(*chats: Any, left: tuple[Any, ...] = ()) -> Any:
    return {
        "about": "Here is what you asked for.",
        "personal_information": {"user_id": 900, "first_name": "Elm Street"},
        "chats": {"about": "The chats.", "list": [*chats]},
        "left_chats": {"about": "Others.", "list": [*left]},
    }


@pytest.fixture
def export(tmp_path: Path) -> Make:
    """Writes an export into a folder of its own."""

    def make(content: Any, name: str = "result.json", folder: str = "ChatExport") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content
        if not isinstance(content, bytes):
            raw = json.dumps(content, indent=1, ensure_ascii=False).encode()
        path.write_bytes(raw)
        return path

    return make

"""Whose Subscriptions a socket is for: on a server of several projects the first token tells."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from threadwell.api.body import Receive
from threadwell.api.line import Gone, Line
from threadwell.fhir.json import BadJson, decode
from threadwell.projects.hints import of_token

_PING, _PONG = "ping", '{"type":"pong"}'
_LONGEST = 16 * 1024


async def first_bound(receive: Receive, line: Line) -> tuple[str, Receive]:
    """The project that the first frame names which is no ping, and what receives from that frame
    on. Raises ``Gone``.
    """
    while True:
        message = await receive()
        if message["type"] != "websocket.receive":
            raise Gone
        frame = _frame(message)
        if frame.get("type") != _PING:
            break
        await line.say(_PONG)
    payload = frame.get("payload")
    token = payload.get("token") if isinstance(payload, dict) else None
    left = [message]

    async def again() -> MutableMapping[str, Any]:
        return left.pop() if left else await receive()

    return of_token(token) if isinstance(token, str) else "", again


def _frame(message: MutableMapping[str, Any]) -> dict[str, Any]:
    text = message.get("text")
    try:
        frame = decode(text) if text and len(text) <= _LONGEST else None
    except BadJson:
        frame = None
    return frame if isinstance(frame, dict) else {}

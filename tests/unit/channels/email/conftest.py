"""Mails to read: built from lines, read with fixed clock and zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from threadwell.channels.email.mail import read_mail
from threadwell.messages import Broken, Message

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)

HEADER = {
    "From": "Ana Prado <ana@example.org>",
    "To": "care@clinic.example.org",
    "Date": "Wed, 10 Apr 2024 09:00:00 +0200",
    "Subject": "Refill",
    "Message-ID": "<one@example.org>",
}

Write = Callable[..., bytes]
Read = Callable[..., Message]


@pytest.fixture
def write() -> Write:
    """A mail's bytes: a usual header, changed by the arguments (``None`` leaves a field out)."""

    def _write(body: str | bytes = "Hello", /, **fields: str | None) -> bytes:
        header = dict(HEADER)
        for name, value in fields.items():
            name = next((n for n in header if n.lower().replace("-", "_") == name.lower()), name)
            if value is None:
                header.pop(name, None)
            else:
                header[name.replace("_", "-")] = value
        lines = "".join(f"{name}: {value}\n" for name, value in header.items())
        content = body if isinstance(body, bytes) else body.encode()
        return lines.encode("utf-8", "surrogateescape") + b"\n" + content

    return _write


@pytest.fixture
def read(write: Write) -> Read:
    """The message that ``write`` of the same arguments makes."""

    def _read(body: str | bytes = "Hello", /, **fields: str | None) -> Message:
        message = read_mail(write(body, **fields), "one.eml", ZONE, NOW)
        assert isinstance(message, Message), message.reason
        return message

    return _read


@pytest.fixture
def refuse(write: Write) -> Callable[..., Broken]:
    """The ``Broken`` that ``write`` of the same arguments makes."""

    def _refuse(body: str | bytes = "Hello", /, **fields: str | None) -> Broken:
        broken = read_mail(write(body, **fields), "one.eml", ZONE, NOW)
        assert isinstance(broken, Broken)
        return broken

    return _refuse

"""What the server logs: one line an event, ``name=value``, on standard error.

An exception is told by its kind and where it happened, never by its message: that may quote what
only the patient's record should hold. For the same reason requests are not logged one by one.
"""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from threadwell.shown import on_a_line

if TYPE_CHECKING:
    import asyncio

_log = logging.getLogger(__name__)


def configure(worker: int | str | None = None) -> None:
    """Log in this form; ``worker`` tells processes apart."""
    handler = logging.StreamHandler()
    handler.setFormatter(Line(worker))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("threadwell").setLevel(logging.INFO)


class Line(logging.Formatter):
    """``time=… level=error worker=0 from=threadwell.api.app text="request … failed: …"``."""

    def __init__(self, worker: int | str | None = None) -> None:
        super().__init__()
        self._worker = "" if worker is None else f" worker={worker}"

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        text = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            text += f": {_told(record.exc_info[1])}"
        quoted = on_a_line(" | ".join(text.split("\n")).replace("\\", "\\\\").replace('"', '\\"'))
        return (
            f"time={at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
            f" level={record.levelname.lower()}{self._worker} from={record.name}"
            f' text="{quoted}"'
        )


def tell_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what an event loop has nobody else to tell."""
    error = context.get("exception")
    # Its own words show the task or handle, with all that it holds.
    what = "a task or callback failed and nobody waited for it"
    _log.error("%s: %s", what, _told(error) if isinstance(error, BaseException) else "no exception")


def _told(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = "".join(f" | {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    return f"{type(error).__name__}{where}"

"""How whoever opens a store in this process comes in (``record.Who.way``)."""

from __future__ import annotations

from contextvars import ContextVar

#: ``python``, or ``command import``.
WAY: ContextVar[str] = ContextVar("way", default="python")

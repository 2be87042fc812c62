"""Threadwell turns care messages into FHIR R4 encounters, and serves them.

``threadwell.open(store)`` is the way in from Python; nothing is loaded before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadwell.api.clients import Client, NewClient
    from threadwell.facade import OperationOutcomeError, Threadwell
    from threadwell.facade import open_threadwell as open
    from threadwell.fhir.resource import Resource
    from threadwell.inbox.reviews import Review
    from threadwell.intake import Finding, Quarantined, Report, SessionSummary
    from threadwell.stores.contract import StoreError

__version__ = "0.1.0"

__all__ = [
    "Client",
    "Finding",
    "NewClient",
    "OperationOutcomeError",
    "Quarantined",
    "Report",
    "Resource",
    "Review",
    "SessionSummary",
    "StoreError",
    "Threadwell",
    "__version__",
    "open",
]

_HOMES = {
    "Client": ("threadwell.api.clients", "Client"),
    "Finding": ("threadwell.intake", "Finding"),
    "NewClient": ("threadwell.api.clients", "NewClient"),
    "OperationOutcomeError": ("threadwell.facade", "OperationOutcomeError"),
    "Quarantined": ("threadwell.intake", "Quarantined"),
    "Report": ("threadwell.intake", "Report"),
    "Resource": ("threadwell.fhir.resource", "Resource"),
    "Review": ("threadwell.inbox.reviews", "Review"),
    "SessionSummary": ("threadwell.intake", "SessionSummary"),
    "StoreError": ("threadwell.stores.contract", "StoreError"),
    "Threadwell": ("threadwell.facade", "Threadwell"),
    "open": ("threadwell.facade", "open_threadwell"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'threadwell' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)

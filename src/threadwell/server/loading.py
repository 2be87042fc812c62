"""What is loaded, and the one process that is forked, before a server has a loop."""

from __future__ import annotations

import contextlib
import gc
from functools import cache
from importlib import import_module

from threadwell.server import attendance, chaining
from threadwell.server.ahead import Ahead, fork_ahead
from threadwell.stores.unused import keep_little

#: What others have written and each worker asks for at once, or by its first requests.
_OTHERS = ("jwt.algorithms", "opentelemetry.trace", "uvloop", "zstandard")
_DEFINITIONS = ("constraints", "search_parameters", "compartments", "value_sets")
#: Those of which every practice has some.
_USUAL = ("Communication", "Encounter", "Patient", "Practitioner", "Task")


def fork_beside(store: str, *, duties: bool) -> Ahead | None:
    """Fork the process that the first worker has beside it; ``None`` where it has none.

    It does the duties, or chains the audit trail where nobody here does them.
    """
    from threadwell.stores.urls import is_shared

    if not is_shared(store):
        return None
    return fork_ahead(attendance.main if duties else chaining.main)


@cache
def preload() -> None:
    """Load what every worker needs, and whoever is beside them, so that they share it in memory.

    Once: what is forked from a process that has done so has it.
    """
    from uvicorn.lifespan import on
    from uvicorn.protocols.http import auto

    from threadwell.api import app
    from threadwell.app import channels
    from threadwell.duties import rota
    from threadwell.fhir import definitions
    from threadwell.inbox import app as pages
    from threadwell.inbox import browsers, places, whereabouts
    from threadwell.intake import lasting, moved
    from threadwell.stores import sqlite

    assert app, definitions
    assert pages, sqlite
    assert browsers, places
    assert whereabouts
    assert lasting, moved
    assert rota, on
    assert auto
    # Each loads its readers with it.
    channels()
    for other in _OTHERS:
        with contextlib.suppress(ImportError):
            import_module(other)
    with contextlib.suppress(ModuleNotFoundError):
        from threadwell.server import sockets

        assert sockets
    _look_at_types()
    gc.collect()
    gc.freeze()
    keep_little()


def _look_at_types() -> None:
    """Read R4's definitions, and compile what the usual resources are checked and found by: else
    each process would, when it is first asked, and share nothing of it.
    """
    from threadwell.fhir.definitions import load
    from threadwell.fhir.search.extract import extraction
    from threadwell.fhir.validation import validate

    for name in _DEFINITIONS:
        load(name)
    for type_ in _USUAL:
        validate({"resourceType": type_})
        extraction(type_)

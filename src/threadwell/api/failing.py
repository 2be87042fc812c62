"""Whatever goes wrong with one request → its answer, counted and logged where it is our fault."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable

from threadwell.api.context import Context, Handler
from threadwell.api.exchange import Answer, Request
from threadwell.api.load.gate import unserved
from threadwell.api.outcomes import crash, refusal, tracing
from threadwell.fhir.outcome import FhirError
from threadwell.stores.contract import StoreError

#: Frames of each end that the log has of where it was.
_ENDS = 25

_log = logging.getLogger(__name__)


async def answered(context: Context, request: Request, perform: Handler) -> Answer:
    """What ``perform`` answers, or the answer that tells why it could not.

    For the parts of a bundle: what others of them have done must not be lost with one.
    """
    try:
        return await perform(context, request)
    except FhirError as error:
        return refusal(error, request.headers)
    except StoreError as error:
        return unserved(context.load, error, request)
    except Exception as error:  # noqa: BLE001 - the last line: what fails must be answered
        return crashed(error, request)


def crashed(error: Exception, request: Request) -> Answer:
    """500, for an error that nobody foresaw; the log has where it was."""
    marks = tracing(request.headers)
    # Neither the message nor the path: both may hold what only the patient's record should.
    trace = error.__traceback__
    first, last = traceback.extract_tb(trace, _ENDS), traceback.extract_tb(trace, -_ENDS)
    left_out = sum(1 for _ in traceback.walk_tb(trace)) - len(first) - len(last)
    frames = _lines(first if left_out > 0 else [])
    frames += f"\n  … {left_out} left out" if left_out > 0 else ""
    frames += _lines(last if left_out > 0 else traceback.extract_tb(trace))
    kind = type(error).__name__
    _log.error("request %s (%s) failed: %s%s", marks.request, request.interaction, kind, frames)
    return crash(marks)


def _lines(frames: Iterable[traceback.FrameSummary]) -> str:
    return "".join(f"\n  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)

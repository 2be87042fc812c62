"""How much a server takes on at once, and what it answers beyond that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from threadwell.api.exchange import Answer, Request
from threadwell.api.load.allowance import Allowance, Left
from threadwell.api.load.failures import Failures
from threadwell.api.load.lane import Lanes
from threadwell.api.load.limits import MAX_IN_FLIGHT
from threadwell.api.load.meter import Meter
from threadwell.api.outcomes import Headed, refusal, tracing
from threadwell.fhir.outcome import FhirError, Issue
from threadwell.stores.contract import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreSlow

#: Bodies of so many bytes are large; all large ones under way have ``MAX_HELD`` at most.
LARGE, MAX_HELD = 1024 * 1024, 256 * 1024 * 1024
#: Seconds after which who was refused may try again.
_RETRY = 1
#: The same where somebody has to do something first.
_RETRY_LATE = 30


@dataclass(slots=True)
class Load:
    """The load of one process. ``draining`` is set once it stops taking requests.

    Each of ``at_end`` is called then: answers that go on without an end of their own end there.
    """

    meter: Meter = field(default_factory=Meter)
    max_in_flight: int = MAX_IN_FLIGHT
    allowance: Allowance | None = None
    draining: bool = False
    failures: Failures = field(default_factory=Failures)
    bundles: Lanes = field(default_factory=Lanes)
    at_end: list[Callable[[], None]] = field(default_factory=list)
    _held: int = 0

    def end(self) -> None:
        """The server stops; for its event loop."""
        for one in self.at_end:
            one()

    def overloaded(self) -> FhirError:
        """503: there is too much under way."""
        self.meter.refused("in-flight")
        return Later(503, "throttled", "The server is busy: please try again", _RETRY)

    def hold(self, size: int) -> int:
        """Make room for a body of so many bytes, sent or received, to be given back by
        ``release``; raises 503 if there are too many large ones already.
        """
        if size < LARGE:
            return 0
        if self._held + size > MAX_HELD:
            self.meter.refused("memory")
            raise Later(503, "throttled", "Too much large content: please try again", _RETRY)
        self._held += size
        return size

    def hold_answer(self, size: int, *, must: bool) -> int:
        """The same for an answer that is to be sent; one that ``must`` be takes its room."""
        if not must or size < LARGE:
            return self.hold(size)
        self._held += size
        return size

    def release(self, held: int) -> None:
        """Give back what ``hold`` returned."""
        self._held -= held

    def store_failed(self, error: StoreError) -> FhirError:
        """503, or 507 if there is no space left: the store could not do its part."""
        match error:
            case StoreBusy():
                self.meter.refused("searches")
                return Later(503, "throttled", "The server is busy: please try again", _RETRY)
            case StoreFull():
                self.meter.store_failed("full")
                text = "The server has no space left to write to"
                return Later(507, "no-store", text, _RETRY_LATE)
            case StoreSlow():
                self.meter.store_failed("slow")
                text = "This took too long and was broken off: please ask for less"
                return Later(503, "timeout", text, _RETRY_LATE)
            case StoreDamaged():
                self.meter.store_failed("damaged")
                text = "The store cannot read what it holds: whoever runs it has to repair it"
                return Later(503, "no-store", text, _RETRY_LATE)
        self.meter.store_failed("failed")
        return Later(503, "no-store", "The store does not answer: please try again", _RETRY)

    def check(self, client: str, seconds: int) -> Left | None:
        """What the client has left of its allowance after this request; raises 429 if nothing."""
        if self.allowance is None:
            return None
        left = self.allowance.take(client, seconds)
        if left.requests < 0:
            self.meter.refused("rate")
            raise TooMany(left)
        return left


def unserved(load: Load, error: StoreError, request: Request) -> Answer:
    """The answer to a request that the store could not serve; it is counted, and logged."""
    marks = tracing(request.headers)
    if not isinstance(error, StoreBusy):
        load.failures.add(error, marks.request, request.interaction)
    return refusal(load.store_failed(error), request.headers, marks)


class TooMany(Headed):
    """429, with what the client's allowance is."""

    def __init__(self, left: Left) -> None:
        issue = Issue("throttled", "Too Many Requests")
        super().__init__(429, [issue], "too-many-requests")
        self.headers = [(b"retry-after", b"%d" % left.seconds), (b"ratelimit", left.header)]


class Later(Headed):
    """The server or its store is not able to now; ``seconds`` until it is worth another try."""

    def __init__(self, status: int, code: str, text: str, seconds: int) -> None:
        super().__init__(status, [Issue(code, text)])
        self.headers = [(b"retry-after", b"%d" % seconds)]

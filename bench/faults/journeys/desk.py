"""What a process has to work with, and what each journey is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from bench.faults.dying import Steps
from threadwell.app import channel_labels, create_server, live_channels
from threadwell.encounters import codes
from threadwell.encounters.delivery import delivery_of
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.fhir.stamp import now_ms
from threadwell.intake.arrivals.journal import ARRIVED, FILES, entries
from threadwell.intake.arrivals.statuses import untold
from threadwell.intake.arrivals.taking import Taking
from threadwell.intake.arrivals.telling import Telling
from threadwell.intake.replies.outgoing import Links
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, Store

URL = "http://desk.example.org"
OFFICE = Address(AddressKind.PHONE, "+12125550100")
CARE = Address(AddressKind.EMAIL, "care@clinic.example.org")


class Found(NamedTuple):
    """What is wrong with what went a way: how many of it."""

    lost: int = 0
    doubled: int = 0
    stateless: int = 0

    @property
    def wrong(self) -> bool:
        """Whether anything is."""
        return any(self)


@dataclass
class Desk:
    """A process: its store, its steps, and a clock that is ahead of the machine's by some ms."""

    store: Store
    steps: Steps
    ahead: int = 0
    _app: Any = None

    def clock(self) -> int:
        """Milliseconds since 1970 UTC."""
        return now_ms() + self.ahead

    async def ask(self, method: str, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        """What the server answers, with which status."""
        if self._app is None:
            self._app = create_server(self.store, base_url=URL)
        path, _, query = path.partition("?")
        named = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "server": ("desk", 80),
            "headers": [(b"host", b"desk.example.org"), *named],
            "client": ("10.0.0.1", 1),
        }
        sent = [{"type": "http.request", "body": body, "more_body": False}]
        got: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return sent.pop() if sent else {"type": "http.disconnect"}

        async def send(event: dict[str, Any]) -> None:
            got.append(event)

        await self._app(scope, receive, send)
        return got[0]["status"], b"".join(one.get("body", b"") for one in got[1:])

    async def take_in(self) -> None:
        """Take in what is in the journal, and put states on messages."""
        taking = Taking(self.store, DEFAULT_PROJECT, live_channels(), channel_labels())
        await taking.round()
        telling = Telling(self.store, DEFAULT_PROJECT, clock=self.clock)
        while (due := await telling.round()) is not None and self.ahead < 600_000:
            # What became of a message may be told before it is there.
            self.ahead += int(due * 1000) + 1

    async def children(self, channel: str, *ids: str) -> list[Resource]:
        """The messages that have one of these ids of a channel."""
        tokens = tuple(TokenMatch(codes.MESSAGE + channel, one) for one in ids)
        query = Query("Communication", (TokenFilter("identifier", tokens),), count=50)
        found = await self.store.search(DEFAULT_PROJECT, query)
        bodies = [decode(one.body) for one in found.matches]
        return [one for one in bodies if "partOf" in one and one["status"] != "entered-in-error"]

    async def settled(self) -> int:
        """How much waits in the journal for nothing."""
        left = [await entries(self.store, DEFAULT_PROJECT, kind) for kind in (ARRIVED, FILES)]
        return sum(map(len, left)) + len(await untold(self.store, DEFAULT_PROJECT, 1))

    async def nowhere(self) -> Links:
        """Nobody reaches this server."""
        return Links("", lambda *_: "")


def counted(found: list[Resource], *, state: str = "") -> Found:
    """Of one message: whether it is there once, and in that state."""
    there = [delivery_of(one) for one in found]
    return Found(
        int(not found),
        max(0, len(found) - 1),
        int(bool(state) and any(one is None or one.state != state for one in there)),
    )


class Journey:
    """A way that messages go. Each case is one message, or what belongs to it, of one patient."""

    name: ClassVar[str]

    def __init__(self, cases: int) -> None:
        """``cases`` is how many there may be in one store."""
        self.cases = cases
        #: Which of its stores it is.
        self.store = 0

    def begin(self) -> None:
        """Start those whom it calls outside of the process."""

    def end(self) -> None:
        """Stop them."""

    async def set_up(self, store: Store) -> None:
        """People and accounts."""
        raise NotImplementedError

    async def work(self, desk: Desk, case: int, told: set[str]) -> None:
        """Bring the case to its end; what was ``told`` by a process before it is not asked anew."""
        raise NotImplementedError

    def outside(self, case: int, what: str) -> list[str]:
        """Do what a process asks for; what it has acknowledged by that."""
        raise NotImplementedError

    async def check(self, desk: Desk, case: int) -> Found:
        """How it has ended."""
        raise NotImplementedError

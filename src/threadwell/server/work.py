"""What every worker of a server has in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from threadwell.api.load.allowance import Tables
from threadwell.api.load.meter import Board
from threadwell.intake.chat.typing import Typing
from threadwell.server.mail.place import Place

#: Seconds that requests under way have once the server is to stop.
GRACE = 10


@dataclass(frozen=True)
class Work:
    """What every worker of a server has in common; made before they are forked."""

    store: str
    url: str
    also_at: tuple[str, ...]
    max_in_flight: int
    rate_limit: int
    workers: int
    max_page: int
    duties: bool = False
    sign_in_as: str = ""
    mail: Place | None = None
    board: Board = field(init=False)
    tables: Tables = field(init=False)
    typing: Typing = field(default_factory=Typing, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "board", Board(self.workers))
        object.__setattr__(self, "tables", Tables(self.workers))

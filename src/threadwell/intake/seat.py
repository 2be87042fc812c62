"""From where somebody acts: by whose word, on which record, by which rules and clock.

Whatever a person, a rule or an app does to a record takes one, and hands it on as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from threadwell.encounters import corrected
from threadwell.encounters.corrected import Agent
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Store

#: Whoever acts, where nobody is named.
SOMEBODY = Agent(corrected.SOMEBODY)


@dataclass(frozen=True, slots=True)
class Stand:
    """A project of a store, and ``by`` whom it is done: enough for what changes no session.

    It is taken without the settings. Where these make no sense (their session policy is not
    installed any more), a thread is claimed and a draft is kept all the same.
    """

    store: Store
    project: str
    by: Agent = SOMEBODY
    clock: Clock = now_ms


@dataclass(frozen=True, slots=True)
class Seat:
    """The project of a store, how its sessions are cut, and ``by`` whom it is done."""

    store: Store
    project: str
    settings: Settings
    by: Agent = SOMEBODY
    clock: Clock = now_ms


#: From where something is done that changes no session.
Standing: TypeAlias = Stand | Seat

"""Which messages make one session. Knows neither FHIR nor any one channel."""

from threadwell.sessions.acting import assign, bind, is_closed
from threadwell.sessions.automatic import with_automatic
from threadwell.sessions.horizon import BEGINNING, horizon
from threadwell.sessions.session import (
    NEVER,
    Act,
    Kind,
    Policy,
    PolicyOptions,
    Sent,
    Session,
    Turn,
)

__all__ = [
    "BEGINNING",
    "NEVER",
    "Act",
    "Kind",
    "Policy",
    "PolicyOptions",
    "Sent",
    "Session",
    "Turn",
    "assign",
    "bind",
    "horizon",
    "is_closed",
    "with_automatic",
]

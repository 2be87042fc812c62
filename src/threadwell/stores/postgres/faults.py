"""What may go wrong between us and the database, and how long to wait until it is well again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg

from threadwell.stores.contract import StoreError

#: The connection is gone, or none can be had for the moment.
AWAY: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
#: Another process was in the way: the same work may succeed now.
CROSSED: tuple[type[BaseException], ...] = (
    asyncpg.TransactionRollbackError,
    asyncpg.UniqueViolationError,
    asyncpg.LockNotAvailableError,
)
#: What was asked cannot be sent. asyncpg has these among its ``InterfaceError``: look here first.
REFUSED: tuple[type[BaseException], ...] = (ValueError,)
#: Everything that comes from asyncpg or from the way to the database.
FAULTS: tuple[type[BaseException], ...] = (
    *AWAY,
    *REFUSED,
    asyncpg.PostgresError,
    asyncpg.InternalClientError,
)

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


async def attempts(seconds: float) -> AsyncIterator[bool]:
    """Turns to try something, with growing pauses between; ``True`` on the last one."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = _FIRST_PAUSE
    while True:
        last = loop.time() + pause >= deadline
        yield last
        if last:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def store_error(what: str, shown: str, error: BaseException) -> StoreError:
    """The error for callers: neither a password nor anything of a resource is in it."""
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        why = "the user or password is refused"
    elif isinstance(error, asyncpg.InvalidCatalogNameError):
        why = "there is no such database"
    elif isinstance(error, AWAY) and not isinstance(error, REFUSED):
        why = f"the database is away ({type(error).__name__})"
    elif isinstance(error, asyncpg.PostgresError):
        # The details of an error quote values; its class and code do not.
        why = f"{type(error).__name__}, SQLSTATE {error.sqlstate}"
    else:
        why = type(error).__name__
    return StoreError(f"{what} {shown}: {why}")

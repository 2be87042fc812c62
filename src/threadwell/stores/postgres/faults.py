"""What may go wrong between us and the database, and how long to wait until it is well again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg

from threadwell.stores.contract import StoreError, StoreFull

#: What comes from asyncpg or from the way to the database.
FAULTS: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # The driver is in disorder, as where the server's last word is read before the end of the
    # connection.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_CROSSED = (
    asyncpg.TransactionRollbackError,
    asyncpg.UniqueViolationError,
    asyncpg.LockNotAvailableError,
)
#: How Citus tells of a node that it lost in mid-statement, and of a row that another process made
#: there first: as internal errors, without a class of their own.
_ON_A_NODE = (asyncpg.InternalServerError, asyncpg.PostgresIOError)

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0


def away(error: BaseException) -> bool:
    """Whether the connection is gone, or none can be had for the moment."""
    # asyncpg says with both classes that it cannot send a value.
    return isinstance(error, _AWAY) and not isinstance(error, ValueError)


def crossed(error: BaseException) -> bool:
    """Whether another process was in the way: the same work may succeed now."""
    return isinstance(error, _CROSSED) or on_a_node(error)


def in_index(error: BaseException) -> bool:
    """Whether what was to be new is an entry of the index that was there already."""
    # On several nodes the table has a number behind its name.
    return isinstance(error, asyncpg.UniqueViolationError) and (
        (error.table_name or "").startswith("posting")
    )


def on_a_node(error: BaseException) -> bool:
    """Whether it may be a node of a distributed database that was lost, or had another process in
    the way: the same may succeed now.
    """
    return type(error) in _ON_A_NODE


async def attempts(seconds: float) -> AsyncIterator[None]:
    """Turns to try something, with growing pauses between, as long as the time lasts."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = _FIRST_PAUSE
    while True:
        yield
        if loop.time() + pause > deadline:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def store_error(what: str, shown: str, error: BaseException) -> StoreError:
    """The error for callers: neither a password nor anything of a resource is in it."""
    if isinstance(error, asyncpg.DiskFullError):
        return StoreFull(f"{what} {shown}: its disk is full")
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        why = "the user or password is refused"
    elif isinstance(error, asyncpg.InvalidCatalogNameError):
        why = "there is no such database"
    elif isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        why = "it takes no writes: it is a standby, or set to read only"
    elif isinstance(error, asyncpg.InsufficientPrivilegeError):
        why = "its user has not the rights to do so"
    elif away(error):
        why = f"the database is away ({type(error).__name__})"
    elif isinstance(error, asyncpg.PostgresError):
        # The details of an error quote values; its class and code do not.
        why = f"{type(error).__name__}, SQLSTATE {error.sqlstate}"
    else:
        why = type(error).__name__
    return StoreError(f"{what} {shown}: {why}")

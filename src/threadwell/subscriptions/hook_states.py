"""What is kept of rest-hooks: where each stands, and which hosts in private networks are called."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from threadwell.calls.addresses import PRIVATE
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

STATES, LOOKED, _HOSTS = "subscription-hook", "subscription-look", "subscription-host"


class State(msgspec.Struct, omit_defaults=True):
    """Where a hook stands: what came up to ``position`` it has been told. It stays there while the
    hook is off or was given up.

    While it ``waits`` for an active version of its own Subscription to go by, it is told nothing.
    ``tries`` are those in vain, ``since`` when the first of them was, ``due`` when the next one is,
    in milliseconds since 1970 UTC; ``why`` is how the last one went.
    """

    position: int
    waits: bool = False
    tries: int = 0
    since: int = 0
    due: int = 0
    why: str = ""


async def allow_host(store: Store, project: str, host: str, *, allowed: bool = True) -> None:
    """Let hooks call a host (``host`` or ``host:port``) that is here or in a private network.

    Those that wait for nothing else are due at once.
    """
    value = host.encode() if allowed else None
    await store.put_private(_HOSTS, f"{project}/{host}", value)
    if not allowed:
        return
    missing = PRIVATE.format(host=urlsplit(f"//{host}").hostname)
    for id_, state in (await states(store, project)).items():
        if state.why == missing:
            before = msgspec.json.encode(state)
            state.due = 0
            kept = Kept(STATES, f"{project}/{id_}", msgspec.json.encode(state), before=before)
            try:
                await store.commit(project, ChangeSet((), kept=(kept,)))
            except Conflict:
                continue  # it is being called, or was turned off


async def hosts(store: Store, project: str) -> tuple[str, ...]:
    """Those that may be called though they are here or in a private network."""
    kept = await store.list_private(_HOSTS)
    return tuple(host.decode() for name, host in kept.items() if name.startswith(f"{project}/"))


async def note_first_look(store: Store, project: str) -> None:
    """Note where the project stands, unless its hooks were looked at before.

    A server does so before it answers: of what is written from then on nothing is left out, even if
    the first look comes late.
    """
    position = b"%d" % await store.position(project)
    try:
        await store.commit(
            project, ChangeSet((), kept=(Kept(LOOKED, project, position, before=None),))
        )
    except Conflict:
        return


async def set_back(store: Store, project: str, id_: str, number: int | None) -> None:
    """Have a hook told again, or not, from the event with that number on: ``None`` is the next one.

    What is under way to it goes on; it is told of the others in their order after that. Raises
    ``LookupError`` where no such hook was ever served, ``ValueError`` for a number that no event
    has or will have next.
    """
    name = f"{project}/{id_}"
    last = await store.position(project)
    number = last + 1 if number is None else number
    if not 0 < number <= last + 1:
        raise ValueError(f"events have numbers from 1 to {last}, and {last + 1} is the next one")
    value = msgspec.json.encode(State(number - 1))
    while True:
        before = await store.get_private(STATES, name)
        if before is None:
            raise LookupError(f"no rest-hook of a Subscription {id_} was ever served")
        try:
            kept = Kept(STATES, name, value, before=before)
            await store.commit(project, ChangeSet((), kept=(kept,)))
        except Conflict:
            continue  # it has just been told of something
        return


async def states(store: Store, project: str) -> dict[str, State]:
    """Where each hook stands, by the id of its Subscription."""
    kept = await store.list_private(STATES)
    return {
        name.removeprefix(f"{project}/"): msgspec.json.decode(value, type=State)
        for name, value in kept.items()
        if name.startswith(f"{project}/")
    }

"""Rest-hooks: each goes through the changes of the project by itself, and is called for its own.

What a hook still has to be told is no list that is kept, but where it stands among the changes:
they are durable and in order, so nothing is lost, and what was told is told again only where it is
not known that it was. A hook that cannot be reached holds up itself alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import msgspec

from threadwell.audit.audited import waiting
from threadwell.audit.record import Record, Touched, Who
from threadwell.calls.call import Caller, CallFailed
from threadwell.calls.going_on import GoingOn
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.fhir.stamp import Clock, instant, new_id, now_ms, stamp
from threadwell.stores.contract import (
    Change,
    ChangeSet,
    Conflict,
    Kept,
    Key,
    Store,
    Stored,
    StoreError,
    Write,
)
from threadwell.stores.scanning import scan
from threadwell.subscriptions.before import last_body
from threadwell.subscriptions.criteria import Criteria, Version, parse_criteria
from threadwell.subscriptions.hook_calls import call_of
from threadwell.subscriptions.hook_states import LOOKED, STATES, State, hosts, states
from threadwell.subscriptions.served import HOOK, is_active

_log = logging.getLogger(__name__)

#: Seconds until a hook is called again, after the first time in vain, the second …; the last one
#: again and again.
PAUSES = (1, 5, 15, 60, 300, 900, 3600)
#: Seconds after which a hook that was reached not once is given up.
PATIENCE = 72 * 3600
#: Changes that are read at a time, and hooks that are called at a time.
_BATCH, AT_ONCE = 100, 64
#: Seconds after which a round looks what is new while it waits for hooks, and those after which the
#: next round goes on with that.
_LOOK, _ROUND = 0.25, 10.0
#: Seconds until it is looked again whether there are hooks, where there was none: most practices
#: have none, and each commit stirs.
GLANCE = 1.0
#: Changes that a hook goes past before it is kept where it stands, if none was for it.
_NOTED = 1000
#: Batches of changes that are at hand at a time.
_REMEMBERED = 16
_GONE = 410


@dataclass(slots=True)
class _Hook:
    stored: Stored
    subscription: Resource
    criteria: Criteria
    bases: frozenset[str]
    state: State
    #: As it was kept last, and how many changes it has gone past since.
    kept: bytes = b""
    passed: int = 0
    #: The version that it is to be told.
    found: Version | None = None


async def nobody(_: str) -> str:
    """Nobody is barred."""
    return ""


class Hooks:
    """Calls the hooks of a project. ``still_held`` goes with each commit.

    ``barred`` tells why what somebody has set up, by their reference, is not served; ``""`` where
    it is. It is asked before each call. A hook is called by one task at a time, which goes on from
    one round to the next.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        caller: Caller,
        *,
        barred: Callable[[str], Awaitable[str]] = nobody,
        still_held: Callable[[], tuple[Kept, ...]] = tuple,
        clock: Clock = now_ms,
        pauses: Sequence[float] = PAUSES,
        glance: float = GLANCE,
    ) -> None:
        self._store = store
        self._project = project
        self._caller = caller
        self._barred = barred
        self._still_held = still_held
        self._clock = clock
        self._pauses = pauses
        self._glance = glance
        self._quiet = 0.0
        self._read: dict[int, list[Change]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._under_way: GoingOn[str] = GoingOn()

    async def round(self) -> float | None:
        """Tell the hooks what they are due; the seconds until one is tried again, ``None`` if none.

        What comes meanwhile is told, too: no hook waits for another one. Where one takes long, the
        next round goes on with it. Raises ``StoreError``, and ``Conflict`` where another process
        has taken over.
        """
        if self._quiet > monotonic():
            return self._quiet - monotonic()
        failed: set[str] = set()
        ends = monotonic() + _ROUND
        try:
            while True:
                due = await self._begin(failed)
                if not self._under_way or monotonic() >= ends:
                    break
                failed |= await self._under_way.wait(_LOOK)
        except asyncio.CancelledError:
            await self._under_way.break_off()
            raise
        self._under_way.check()
        if self._under_way:
            return 0.0
        return None if due is None else max(0.0, (due - self._clock()) / 1000)

    async def _begin(self, failed: set[str]) -> int | None:
        """Begin with the hooks that have something to go past; when the next one is tried again.

        Those that have ``failed`` in this round by no fault of theirs are begun in another.
        """
        now = await self._store.position(self._project)
        self._read.clear()
        due: list[int] = []
        allowed = None
        hooks = await self._hooks(now)
        # What is written until the next look is not lost: a new hook goes on from this one.
        self._quiet = 0.0 if hooks else monotonic() + self._glance
        for hook in hooks:
            id_, state = hook.stored.id, hook.state
            if id_ in self._under_way or id_ in failed:
                continue
            if state.tries and state.due > self._clock():
                due.append(state.due)
            elif state.position < now:
                if allowed is None:
                    allowed = await hosts(self._store, self._project)
                self._under_way.begin(id_, self._serve(hook, now, allowed))
        return min(due, default=None)

    async def _hooks(self, now: int) -> list[_Hook]:
        """The hooks that are active, each where it stands; ``now`` is from before they are read."""
        known = await states(self._store, self._project)
        looked = await self._store.get_private(LOOKED, self._project)
        bases = await self._store.home(self._project)
        hooks: list[_Hook] = []
        is_new = False
        found: set[str] = set()
        asked = Query("Subscription", (_code("type", HOOK),))
        async for stored in scan(self._store, self._project, asked):
            subscription = decode(stored.body)
            found.add(stored.id)
            state = known.get(stored.id)
            if subscription["status"] != "active":
                # Made active again, it goes on where it is, whether somebody has turned it off or
                # it was given up.
                if state is not None and state.tries:
                    await self._rest(stored.id, state)
                continue
            if why := await self._barred(stored.author):
                await self._give_up(stored, subscription, why)
                continue
            if state is None:
                # It was written after the last look, if there was one.
                state = State(int(looked), waits=True) if looked else State(now)
                is_new = True
            try:
                criteria = parse_criteria(subscription["criteria"], bases=bases, now=self._clock)
            except FhirError as error:
                await self._give_up(stored, subscription, str(error))
                continue
            kept = msgspec.json.encode(known[stored.id]) if stored.id in known else b""
            hooks.append(_Hook(stored, subscription, criteria, bases, state, kept))
        for id_ in known.keys() - found:
            await self._store.put_private(STATES, self._name(id_), None)
        if looked is None or is_new or now >= int(looked) + _NOTED:
            for hook in hooks:
                await self._keep(hook)
            await self._store.put_private(LOOKED, self._project, b"%d" % now)
        return hooks

    async def _rest(self, id_: str, state: State) -> None:
        """Have one that is not served begin anew with its tries, should it be again."""
        place, before = self._name(id_), msgspec.json.encode(state)
        value = msgspec.json.encode(State(state.position, state.waits))
        kept = Kept(STATES, place, value, before=before)
        try:
            await self._store.commit(self._project, ChangeSet((), kept=(kept, *self._still_held())))
        except Conflict as conflict:
            if conflict.key != Key(STATES, place):
                raise

    async def _serve(self, hook: _Hook, now: int, allowed: tuple[str, ...]) -> None:
        """Have a hook go on to ``now``, or until it is not served any more."""
        try:
            while hook.state.position < now:
                changes = await self._changes(hook.state.position)
                for change in changes:
                    if not await self._past(hook, change, allowed):
                        return
                if not changes:
                    break
            if hook.passed:
                await self._keep(hook)
        except Conflict as conflict:
            # Somebody has turned it off meanwhile; or the duty is another process's.
            if conflict.key != Key(STATES, self._name(hook.stored.id)):
                raise

    async def _changes(self, after: int) -> list[Change]:
        """Some changes after a position: most hooks stand at the same one."""
        if after not in self._read:
            while len(self._read) >= _REMEMBERED:
                del self._read[next(iter(self._read))]
            self._read[after] = await self._store.changes(self._project, after, _BATCH)
        return self._read[after]

    async def _past(self, hook: _Hook, change: Change, allowed: tuple[str, ...]) -> bool:
        """Go past a change, which may be one to be told; whether that went well."""
        state, stored = hook.state, change.stored
        if state.waits:
            own = stored.type == "Subscription" and stored.id == hook.stored.id
            state.waits = not (own and is_active(stored))
        elif await self._concerns(hook, stored):
            if not await self._is_still_served(hook):
                return False
            try:
                async with self._turns:
                    why = await self._call(hook, change, allowed)
            except (StoreError, Conflict):
                raise
            except Exception as error:  # noqa: BLE001 - it holds up nobody but itself
                why = f"it cannot be called ({type(error).__name__})"
            if why:
                await self._put_off(hook, why)
                return False
            state.tries = state.since = state.due = 0
            state.why = ""
            hook.passed = _NOTED
        state.position = change.position
        hook.passed += 1
        if hook.passed >= _NOTED:
            await self._keep(hook)
        return True

    async def _is_still_served(self, hook: _Hook) -> bool:
        """Whether it is as it was read, and whoever set it up may still be told."""
        stored = await self._store.read(self._project, "Subscription", hook.stored.id)
        if stored is None or stored.version_id != hook.stored.version_id:
            return False
        why = await self._barred(stored.author)
        if why:
            await self._give_up(stored, hook.subscription, why)
        return not why

    async def _concerns(self, hook: _Hook, stored: Stored) -> bool:
        hook.found = None
        if stored.type != hook.criteria.type:
            return False
        body = await last_body(self._store, self._project, stored)
        if body is None:
            return False
        hook.found = Version(body, hook.bases)
        return await hook.criteria.hold(hook.found, self._store, self._project)

    async def _call(self, hook: _Hook, change: Change, allowed: tuple[str, ...]) -> str:
        """Tell a hook of a change; why it is not told, ``""`` where it is."""
        stored = change.stored
        body = hook.found.stored.body if hook.found else b""
        call = call_of(hook.stored.id, hook.subscription, change, body, allowed)
        if call.body or stored.deleted:
            await self._record(hook, stored)
        try:
            answer = await self._caller.call(call)
        except CallFailed as failed:
            return str(failed)
        if 200 <= answer.status < 300:
            return ""
        if answer.status == _GONE:
            # It says that there is no use in trying again.
            hook.state.since = 1
        return f"it answers {answer.status}"

    async def _record(self, hook: _Hook, stored: Stored) -> None:
        """Record whom it is told of: before the call, as nobody knows what comes of that."""
        now = self._clock()
        record = Record(
            at=now,
            act="notify hook",
            by=Who(who=hook.stored.author, way="hook"),
            asked=f"Subscription/{hook.stored.id}",
            touched=(Touched(stored.type, stored.id, stored.version_id),),
        )
        kept = waiting(self._project, record, new_id(now))
        await self._store.commit(self._project, ChangeSet((), kept=(kept,)))

    async def _put_off(self, hook: _Hook, why: str) -> None:
        state, now = hook.state, self._clock()
        state.tries += 1
        state.since = state.since or now
        state.why = why
        if now - state.since >= PATIENCE * 1000:
            await self._give_up(hook.stored, hook.subscription, why)
            # Whoever makes it active again has it go on from here.
            state.tries = state.since = state.due = 0
        else:
            state.due = now + int(self._pauses[min(state.tries, len(self._pauses)) - 1] * 1000)
        await self._keep(hook)

    async def _give_up(self, stored: Stored, subscription: Resource, why: str) -> None:
        """Have a Subscription say that it is served no more, unless somebody has changed it."""
        _log.warning("Subscription/%s is given up: %s", stored.id, why)
        now = max(self._clock(), stored.updated)
        version = new_id(now)
        changed = {
            **subscription,
            "status": "error",
            "error": f"Given up at {instant(now)}: {why}",
        }
        resource, body = stamp(changed, stored.id, version, now)
        write = Write(stored.type, stored.id, version, now, resource, body, stored)
        try:
            await self._store.commit(self._project, ChangeSet((write,), kept=self._still_held()))
        except Conflict as conflict:
            if conflict.key is None or conflict.key.id != stored.id:
                raise

    async def _keep(self, hook: _Hook) -> None:
        """Keep where a hook stands."""
        hook.passed = 0
        value = msgspec.json.encode(hook.state)
        if value != hook.kept:
            before = hook.kept or None
            kept = Kept(STATES, self._name(hook.stored.id), value, before=before)
            await self._store.commit(self._project, ChangeSet((), kept=(kept, *self._still_held())))
            hook.kept = value

    def _name(self, id_: str) -> str:
        return f"{self._project}/{id_}"


def _code(param: str, *codes: str) -> TokenFilter:
    return TokenFilter(param, tuple(TokenMatch(None, code) for code in codes))

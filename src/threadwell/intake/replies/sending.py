"""Sends what is in the outbox: once, as far as a provider can tell, or not without a person.

An entry is marked as being tried before its call, by compare-and-set: of two who find it, one makes
the call. Whoever finds that mark later, after a crash, does not know whether the call was made. The
provider is asked then; where it does not tell, a person decides. Messages of one thread go out in
the order in which they were written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import TypeAlias

from threadwell.calls.call import Call, Caller, CallFailed
from threadwell.calls.going_on import GoingOn
from threadwell.calls.smtp import SmtpSubmitter
from threadwell.calls.submission import Submission, Submitter
from threadwell.channels.account import Account
from threadwell.channels.channel import Channel
from threadwell.channels.live import Live, State, Status
from threadwell.channels.sending import Failed, Found, Later, Outbound, Sent
from threadwell.encounters.child_ids import sent_as
from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.accounts import accounts
from threadwell.intake.arrivals.consents import may_write
from threadwell.intake.arrivals.statuses import sent_state
from threadwell.intake.practice import kept_settings
from threadwell.intake.replies.outbox import (
    Entry,
    Queued,
    Stage,
    buried,
    changed,
    removed,
    waiting,
)
from threadwell.intake.replies.outgoing import FindLinks, Outgoing
from threadwell.intake.replies.settling import Gone, is_there, known_ids, settle
from threadwell.intake.replies.submitting import MARGIN, submit
from threadwell.intake.replies.unsent import say_nothing, say_unsent
from threadwell.intake.reply_addresses import ReplyAddresses
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings
from threadwell.messages import Address
from threadwell.stores.contract import ChangeSet, Conflict, Kept, Store

_log = logging.getLogger(__name__)

#: Seconds until a message is tried again, after the first try in vain, the second …
PAUSES = (5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600)
#: Seconds until the provider is asked whether it has a message: it may list it a little later.
ASKED = (5, 30, 120, 600)
#: Calls that one step takes at most, and the seconds after which none of them is under way.
_STEPS = 4
_LONGEST = 90
#: Messages that are sent at once, by all accounts and by one: a server that hangs has no more turns
#: than these. Whoever makes the calls has to make as many at once.
AT_ONCE, _OF_ACCOUNT = 64, 8
#: Seconds after which a round looks what is new in the outbox while it waits for servers, and
#: those after which the next round goes on with that.
_LOOK, _ROUND = 0.25, 10.0
#: Seconds until a message that can be sent again is, where nobody knows whether it was sent: a
#: mailbox may tell meanwhile that it was.
EVIDENCE = 60.0

BROKEN_OFF = "it was broken off while it was being sent"
UNKNOWN = "nobody can tell whether it was sent: look at the provider before it is replayed"


#: A channel, an account and a thread of that channel.
_Thread: TypeAlias = tuple[str, str, str]


class Outbox:
    """Sends messages; ``channels`` are the live ones, ``labels`` those of all, by name.

    ``still_held`` goes with the mark that a message is being tried: it makes that a ``Conflict``
    where another process has taken over.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        channels: Mapping[str, Channel],
        labels: Mapping[str, str],
        caller: Caller,
        links: FindLinks,
        *,
        submitter: Submitter | None = None,
        still_held: Callable[[], tuple[Kept, ...]] = tuple,
        clock: Clock = now_ms,
        pauses: Sequence[float] = PAUSES,
        asked: Sequence[float] = ASKED,
    ) -> None:
        self._store = store
        self._project = project
        self._channels = channels
        self._labels = labels
        self._caller = caller
        self._submitter = submitter or SmtpSubmitter(at_once=AT_ONCE)
        self._tokens = ReplyAddresses(store, project)
        self._outgoing = Outgoing(store, project, links, self._tokens, clock)
        self._still_held = still_held
        self._clock = clock
        self._pauses = pauses
        self._asked = asked
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._of_account: dict[str, asyncio.Semaphore] = {}
        self._under_way: GoingOn[_Thread] = GoingOn()

    async def round(self) -> float | None:
        """Send what is due; the seconds until something else is, ``None`` where nothing waits.

        What comes meanwhile is sent, too: nothing waits for another account's server. Where a
        server takes long, the next round goes on with it. Raises ``StoreError``; what was not sent
        stays in the outbox, and what is under way goes on. ``BadSetting`` where the settings of the
        store make no sense: nothing is sent.
        """
        begun: dict[_Thread, bytes] = {}
        ends = monotonic() + _ROUND
        try:
            while True:
                due = await self._begin(begun)
                if not self._under_way or monotonic() >= ends:
                    break
                await self._under_way.wait(_LOOK)
        except asyncio.CancelledError:
            await self._under_way.break_off()
            raise
        self._under_way.check()
        if self._under_way:
            return 0.0
        return None if due is None else max(0.0, (due - self._clock()) / 1000)

    async def _begin(self, begun: dict[_Thread, bytes]) -> int | None:
        """Begin with threads of which something is due; when the next thing is.

        ``begun`` has the first message of each, as it was: what goes wrong with it in this round is
        tried again in another.
        """
        threads: dict[_Thread, list[Queued]] = {}
        for one in await waiting(self._store, self._project):
            entry = one.entry
            threads.setdefault((entry.channel, entry.account, entry.thread), []).append(one)
        due, known = None, None
        for thread, some in threads.items():
            first = some[0]
            if thread in self._under_way or begun.get(thread) == first.value:
                continue
            if first.entry.due > self._clock():
                due = min(first.entry.due, due or first.entry.due)
                continue
            if known is None:
                known = {one.name: one for one in await accounts(self._store, self._project)}
            begun[thread] = first.value
            self._under_way.begin(thread, self._send_all(some, known))
        return due

    async def _send_all(self, some: Sequence[Queued], known: Mapping[str, Account]) -> None:
        """Send what is due of a thread, in its order."""
        for one in some:
            if one.entry.due > self._clock():
                return
            account = one.entry.account
            # Whoever waits for a turn has not said yet that a message is being tried.
            of_account = self._of_account.setdefault(account, asyncio.Semaphore(_OF_ACCOUNT))
            async with of_account, self._turns:
                due = await self._one(one, known.get(account))
            if due is not None:
                # What was written later would overtake it.
                return

    async def _one(self, one: Queued, account: Account | None) -> int | None:
        """Send a message, or find out whether it was; when it is due again, if it is."""
        try:
            stored = await self._store.read(self._project, "Communication", one.entry.message)
            if stored is None or stored.deleted or not is_live(decode(stored.body)):
                # Somebody has taken it back before it was sent.
                place = (self._store, self._project, one.entry.message)
                await say_nothing(*place, (removed(one),), self._clock())
                return None
            body: Resource = decode(stored.body)
            if ids := sent_as(body):
                return await self._sent(one, ids[0])
            live = self._live(one.entry.channel)
            if account is None or live is None:
                return await self._bury(one, "its account is gone, or sends nothing any more")
            out = await self._outgoing.message(one.entry, body, account, live)
            if isinstance(out, str):
                return await self._bury(one, out)
            if one.entry.stage is Stage.WAITING:
                return await self._send(one, out, live, account)
            return await self._ask(one, out, live, account)
        except (Conflict, Gone):
            # Somebody else has decided about it meanwhile.
            return None

    async def _send(self, one: Queued, out: Outbound, live: Live, account: Account) -> int | None:
        for to in out.recipients:
            if not await may_write(self._store, self._project, out.own, to):
                return await self._bury(one, "the recipient has said STOP")
        assert live.send is not None  # Nothing else is given.
        # Where they make no sense, nothing is sent of which could not be noted that it was.
        settings = await self._settings()
        first = live.send(out, account, None)
        longest = first.seconds + MARGIN if isinstance(first, Submission) else _LONGEST
        now = self._clock()
        trying = replace(
            one.entry,
            stage=Stage.TRYING,
            tries=one.entry.tries + 1,
            since=one.entry.since or now,
            due=now + int(longest * 1000),
        )
        more = self._still_held()
        if isinstance(first, Submission):
            # Its meaning has to be known before anybody can answer.
            more = (*more, self._tokens.kept(out.token, one.entry.channel, first.id, out.own))
        one = await self._changed(one, trying, *more)
        step = await self._steps(first, live, out, account)
        match step:
            case Sent(external_id, on_its_way, refused):
                state = State.SENT if on_its_way else State.QUEUED
                return await self._sent(one, external_id, state, refused, settings)
            case Failed(reason, code):
                return await self._bury(one, reason, code)
            case Later(reason, code, _, True):
                return await self._doubt(one, reason, code, live)
            case Later(reason, code, seconds):
                return await self._again(one, reason, code, seconds)

    async def _steps(
        self,
        step: Call | Submission | Sent | Later | Failed,
        live: Live,
        out: Outbound,
        account: Account,
    ) -> Sent | Later | Failed:
        assert live.send is not None  # Nothing else is given.
        for _ in range(_STEPS):
            if isinstance(step, Submission):
                return await submit(self._submitter, step, out)
            if not isinstance(step, Call):
                return step
            try:
                answer = await self._caller.call(replace(step, hosts=account.hosts))
            except CallFailed as error:
                if error.sent:
                    return Later(str(error), doubtful=True)
                return Later(str(error)) if error.again else Failed(str(error))
            step = live.send(out, account, answer)
        if isinstance(step, Call | Submission):
            return Later("it takes too many calls", doubtful=True)
        return step

    async def _ask(self, one: Queued, out: Outbound, live: Live, account: Account) -> int | None:
        """Find out whether a message was sent of which nobody knows."""
        if live.known_as is not None:
            return await self._look_for(one, live.known_as(out.external_id, out.own))
        if live.ask is None or not one.entry.since:
            return await self._bury(one, UNKNOWN)
        step = live.ask(out, account, None)
        for _ in range(_STEPS):
            if not isinstance(step, Call):
                break
            try:
                answer = await self._caller.call(replace(step, hosts=account.hosts))
            except CallFailed as error:
                step = Later(str(error))
            else:
                step = live.ask(out, account, answer)
        if isinstance(step, Found):
            ids = step.external_ids
            taken = await known_ids(self._store, self._project, one.entry.channel, ids)
            for external_id in ids:
                if external_id not in taken:
                    return await self._sent(one, external_id)
        return await self._doubt(one, one.entry.reason, one.entry.code, live)

    async def _look_for(self, one: Queued, external_id: str) -> int | None:
        """Send it again, unless there are signs of it: it is the same one to those who get it."""
        channel = one.entry.channel
        told = await sent_state(self._store, self._project, channel, external_id)
        if told or await is_there(self._store, self._project, channel, external_id):
            return await self._sent(one, external_id)
        return await self._again(one, one.entry.reason or BROKEN_OFF, one.entry.code, 0.0)

    async def _sent(
        self,
        one: Queued,
        external_id: str,
        state: State = State.QUEUED,
        refused: Sequence[tuple[Address, str]] = (),
        settings: Settings | None = None,
    ) -> int | None:
        settings = settings or await self._settings()
        at = datetime.fromtimestamp(self._clock() / 1000, UTC)
        told = [Status(one.entry.channel, external_id, state, at)]
        told += [
            Status(one.entry.channel, external_id, State.FAILED, at, code, who)
            for who, code in refused
        ]
        seat = Seat(self._store, self._project, settings, clock=self._clock)
        await settle(seat, one, external_id, told=told)
        return None

    async def _settings(self) -> Settings:
        return await kept_settings(self._store, self._project, self._labels)

    async def _doubt(self, one: Queued, reason: str, code: str, live: Live) -> int | None:
        entry = one.entry
        if live.known_as is not None:
            pause = EVIDENCE
        elif entry.asked >= len(self._asked):
            return await self._bury(one, UNKNOWN, code)
        else:
            pause = self._asked[entry.asked]
        due = self._clock() + int(pause * 1000)
        now = replace(
            entry,
            stage=Stage.DOUBTFUL,
            asked=entry.asked + 1,
            due=due,
            reason=reason,
            code=code,
        )
        await self._changed(one, now)
        return due

    async def _again(self, one: Queued, reason: str, code: str, seconds: float) -> int | None:
        entry = one.entry
        if entry.tries > len(self._pauses):
            return await self._bury(one, reason, code)
        pause = max(self._pauses[entry.tries - 1], seconds)
        due = self._clock() + int(pause * 1000)
        # It was not sent: what is to be looked for begins with the next try.
        now = replace(entry, stage=Stage.WAITING, since=0, due=due, reason=reason, code=code)
        await self._changed(one, now)
        return due

    async def _bury(self, one: Queued, reason: str, code: str = "") -> int | None:
        _log.warning("a reply by %s was not sent: %s", one.entry.account, reason)
        kept = buried(one, replace(one.entry, reason=reason, code=code))
        place = (self._store, self._project, one.entry.message)
        if reason == UNKNOWN:
            await say_nothing(*place, kept, self._clock())
        else:
            await say_unsent(*place, kept, self._clock(), reason, code)
        return None

    async def _changed(self, one: Queued, entry: Entry, *more: Kept) -> Queued:
        kept = changed(one, entry)
        assert kept.value is not None  # An entry is in it.
        await self._revise(kept, *more)
        return Queued(one.kind, one.name, kept.value, entry)

    async def _revise(self, *kept: Kept) -> int | None:
        await self._store.commit(self._project, ChangeSet((), kept=kept))
        return None

    def _live(self, name: str) -> Live | None:
        channel = self._channels.get(name)
        live = channel.live if channel else None
        return live if live is not None and live.send is not None else None

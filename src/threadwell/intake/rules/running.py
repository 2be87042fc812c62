"""Rules run: over each event once, and what a run does is committed with the record of it.

What is sent or closed has an identity of its own, so that a run which is broken off half-way and
begins again sends nothing twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from threadwell.channels.channel import Channel
from threadwell.encounters import codes
from threadwell.encounters.corrected import Agent
from threadwell.encounters.todo import is_open, reminded
from threadwell.fhir.resource import Resource
from threadwell.fhir.stamp import Clock, instant, now_ms
from threadwell.intake.acts import BadAct, close_session
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.commits.batch import Batch
from threadwell.intake.kept_rules import kept_rules
from threadwell.intake.links import target
from threadwell.intake.patience import BRIEF, Contended, Patience
from threadwell.intake.replies.automatic import reply_by_itself
from threadwell.intake.rulebook.events import EVENTS, TIMERS, Happened, happened
from threadwell.intake.rulebook.ruleset import Event, Rule, RuleSet
from threadwell.intake.rules.cases import Case, load_case
from threadwell.intake.rules.judging import holds
from threadwell.intake.rules.runs import run_key, run_resource
from threadwell.intake.seat import Seat
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Conflict, Kept, Key, Store, StoreError

_AT_A_TIME = 100


@dataclass(slots=True)
class _Running:
    """A rule that runs over an event: what it has done so far, in words."""

    rule: Rule
    key: Key
    done: list[str] = field(default_factory=list)
    refused: bool = False

    def refuse(self, what: str) -> None:
        """Note that something could not be done."""
        self.done.append(what)
        self.refused = True


@dataclass(slots=True)
class _Round:
    """What has gone wrong in a round, and what waits for a thread that others keep writing to."""

    failures: list[Exception] = field(default_factory=list)
    waiting: list[Happened] = field(default_factory=list)

    def has_to_wait(self, one: Happened) -> bool:
        """Whether something waits that has happened in the same thread before.

        Of what names no thread nothing tells in which of its circle it has happened.
        """
        return any(
            before.what.circle == one.what.circle
            and (
                before.what.thread == one.what.thread
                or not (before.what.thread and one.what.thread)
            )
            for before in self.waiting
        )


class Runner:
    """Runs the rules of a store; ``channels`` are those that send, by name.

    ``settings`` are asked for whenever a rule replies or closes. ``still_held`` goes with each
    commit.
    """

    def __init__(
        self,
        store: Store,
        project: str,
        settings: Callable[[], Awaitable[Settings]],
        channels: Mapping[str, Channel],
        *,
        still_held: Callable[[], tuple[Kept, ...]] = tuple,
        clock: Clock = now_ms,
    ) -> None:
        self._store = store
        self._project = project
        self._settings = settings
        self._channels = channels
        self._still_held = still_held
        self._clock = clock

    async def round(self) -> float | None:
        """Run what is due; in how many seconds the next timer is, ``None`` where none is set.

        What goes wrong with one event keeps no other one from being run over: that is raised in the
        end, and the event stays. Where others keep writing to its thread, only what has happened in
        that waits with it, and both have another turn once all the others had theirs. Raises
        ``StoreError``.
        """
        round_ = _Round()
        after = ""
        while some := await self._happened(EVENTS, after, _AT_A_TIME):
            for one in some:
                if not await self._went_well(one, round_, Patience(BRIEF)):
                    after = one.name
        after = ""
        ahead = 0
        while some := await self._happened(TIMERS, after, 1):
            [first] = some
            ahead = max(0, first.what.at - self._clock() * 1000)
            if ahead:
                break
            if not await self._went_well(first, round_, Patience(BRIEF)):
                after = first.name
        last = _Round(failures=round_.failures)
        for one in round_.waiting:
            await self._went_well(one, last, Patience())
        if last.waiting:
            last.failures.append(Contended("others keep writing to a thread that a rule is about"))
        if last.failures:
            raise last.failures[0]
        return ahead / 1_000_000 if ahead else None

    async def _happened(self, kind: str, after: str, count: int) -> list[Happened]:
        return await happened(self._store, self._project, kind, after=after, count=count)

    async def _went_well(self, one: Happened, round_: _Round, patience: Patience) -> bool:
        """Run the rules over one event, unless it has to wait; what fails is told to the round."""
        if round_.has_to_wait(one):
            round_.waiting.append(one)
            return False
        try:
            await self._run(one, patience)
        except Contended:
            round_.waiting.append(one)
            return False
        except (StoreError, Conflict):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are not to wait for it
            round_.failures.append(error)
            return False
        return True

    async def _run(self, one: Happened, patience: Patience) -> None:
        """Run the rules over one event, decided anew as long as others write to its thread."""
        while await patience.turn():
            try:
                await self._run_once(one)
            except Conflict as conflict:
                if conflict.key is not None and conflict.key.id == one.name:
                    return  # Another process has done it.
                if conflict.key in [Key(kept.kind, kept.name) for kept in self._still_held()]:
                    raise  # The duty is another process's by now.
            else:
                return
        raise Contended("others keep writing to the thread that a rule is about")

    async def _run_once(self, one: Happened) -> None:
        rules = await kept_rules(self._store, self._project)
        batch = Batch(updated=self._clock())
        for kept in (one.removed, *self._still_held()):
            batch.keep(kept)
        case = await load_case(self._store, self._project, one.what) if rules else None
        running: list[_Running] = []
        if rules is not None and case is not None:
            running = await self._holding(rules, case, one)
            acted = [await self._act(each, case) for each in running]
            if any(acted):
                case = await load_case(self._store, self._project, one.what) or case
            for each in running:
                _write(each, case, instant(batch.updated))
            case.write(batch)
            for each in running:
                event = run_resource(
                    each.rule.name,
                    each.rule.event,
                    instant(batch.updated),
                    case.about,
                    each.done,
                    refused=each.refused,
                )
                batch.write(each.key, event)
        await self._store.commit(self._project, batch.change_set())

    async def _holding(self, rules: RuleSet, case: Case, one: Happened) -> list[_Running]:
        """The rules that hold, and have not run over that event."""
        what = one.what
        found = [rule for rule in rules.of(what.event) if what.rule in ("", rule.name)]
        if what.event is Event.UNANSWERED and not case.still_waits:
            return []
        if what.event is Event.THREAD and not case.opens:
            return []
        keys = [run_key(rule.name, what.id) for rule in found]
        there = await self._store.read_many(self._project, keys) if keys else {}
        return [
            _Running(rule, key)
            for rule, key in zip(found, keys, strict=True)
            if key not in there and holds(rule, case.facts, rules.hours)
        ]

    async def _act(self, run: _Running, case: Case) -> bool:
        """Do what is committed by itself; whether there was anything of the kind."""
        then = run.rule.then
        if then.reply:
            try:
                told = await reply_by_itself(
                    await self._seat("A rule"),
                    then.reply,
                    case.message,
                    self._channels,
                    sender=then.sender,
                    key=run.key.id,
                )
            except BadSetting as error:
                run.refuse(f"no reply {then.reply}: {error}")
            else:
                if told.sent:
                    run.done.append(f"replied {then.reply}: {told.text}")
                else:
                    run.refuse(f"no reply {then.reply}: {told.text}")
        if then.close:
            await self._close(run, case)
        return bool(then.reply or then.close)

    async def _close(self, run: _Running, case: Case) -> None:
        session = target(case.header or {}, "encounter")
        if not session:
            run.refuse("no session to close")
            return
        name = f"Rule {run.rule.name}"
        try:
            seat = await self._seat(name)
            closed = await close_session(seat, session, why=f"By the rule {run.rule.name}")
        except (BadAct, BadSetting) as error:
            run.refuse(f"not closed: {error}")
        else:
            run.done.append(f"closed {closed.session}")

    async def _seat(self, name: str) -> Seat:
        """From where it acts, under that name; raises ``BadSetting``."""
        settings = await self._settings()
        return Seat(self._store, self._project, settings, Agent(name), self._clock)


def _write(run: _Running, case: Case, now: str) -> None:
    """Let the Task and the header be as the rule says."""
    then, name = run.rule.then, run.rule.name
    if then.tags and case.header is not None:
        case.header = with_tags(case.header, then.tags)
        run.done.append(f"tagged {', '.join(then.tags)}")
    if not (then.pool or then.priority or then.remind or then.note):
        return
    task = case.task
    if task is None or not is_open(task):
        run.refuse("no Task: the thread does not wait for an answer")
        return
    task = dict(task)
    if then.pool is not None:
        if "owner" in task:
            run.done.append(f"left with its owner, and not given to {then.pool.code}")
        else:
            task["performerType"] = [then.pool.as_json()]
            run.done.append(f"given to {then.pool.display or then.pool.code}")
    if then.priority:
        task["priority"] = then.priority
        run.done.append(f"priority {then.priority}")
    notes: Sequence[str] = [then.note] if then.note else []
    if then.remind:
        task = reminded(task)
        notes = notes or [f"Nobody has answered yet (rule {name})"]
        run.done.append("reminded")
    elif then.note:
        run.done.append("noted")
    if notes:
        signed = [{"authorString": f"Rule {name}", "time": now, "text": one} for one in notes]
        task["note"] = [*(task.get("note") or ()), *signed]
    case.task = task


def with_tags(header: Resource, tags: Sequence[str]) -> Resource:
    """The header with those tags."""
    meta = header.get("meta") or {}
    there = meta.get("tag") or []
    more = [{"system": codes.TAG, "code": one} for one in tags]
    fresh = [one for one in more if one not in there]
    return {**header, "meta": {**meta, "tag": [*there, *fresh]}} if fresh else header

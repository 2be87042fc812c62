"""What is planned from a horizon on is what would be planned of the whole history."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from tests.property.test_acts import Ticking, _act
from tests.property.test_intake import (
    ANA,
    MESSAGES,
    NOW,
    OWN,
    SETTINGS,
    START,
    live,
    record,
    with_people,
)
from tests.property.test_sessions import OPTIONS, some_messages
from threadwell.encounters import codes
from threadwell.encounters.pattern import is_session
from threadwell.fhir.json import decode
from threadwell.fhir.search.query import Query
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake import BadAct, Intake, Settings, answer_review, parse_options, verify
from threadwell.intake.circles.answers import candidates
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.plan import Plan, plan
from threadwell.intake.circles.rules import Rules
from threadwell.intake.seat import Seat
from threadwell.messages import Message
from threadwell.sessions import BEGINNING, Policy, PolicyOptions, Sent, Session, horizon
from threadwell.sessions.acting import ActingPolicy
from threadwell.sessions.policies import BUILT_IN
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Write
from threadwell.stores.memory import MemoryStore

HOUR_MS = 3_600_000


class Blind:
    """A policy that does not tell its horizon."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def __call__(self, messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
        return self._policy(messages, options)


class BlindActing(Blind):
    def with_acts(self, *given: Any) -> list[Session]:
        return self._policy.with_acts(*given)


def blind(policy: Policy) -> Policy:
    return BlindActing(policy) if isinstance(policy, ActingPolicy) else Blind(policy)


@contextmanager
def planned_both_ways() -> Iterator[None]:
    """Every plan is made of the whole circle as well, and has to be the same."""

    def both(circle: Circle, rules: Rules) -> Plan:
        whole = deepcopy(circle)
        whole.dirty = dict.fromkeys(whole.dirty, BEGINNING)
        expected = plan(whole, replace(rules, assign=blind(rules.assign)))
        found = plan(circle, rules)
        assert told(found) == told(expected)
        assert [list(one.items()) for _, one in sorted(circle.seen.items())] == [
            list(one.items()) for _, one in sorted(whole.seen.items())
        ]
        assert circle.next_end() == whole.next_end()
        assert circle.messages.keys() == whole.messages.keys()
        return found

    with patch("threadwell.intake.run.plan", both):
        yield


def told(made: Plan) -> tuple[Any, ...]:
    """All of a plan, comparable."""
    links = sorted((placed.sent.id, link) for placed, link in made.links)
    return made.resources, links, made.withdrawn, sorted(one.sent.id for one in made.late)


@given(some_messages(), OPTIONS, st.sampled_from(sorted(BUILT_IN)), st.data())
def test_nothing_reaches_over_a_horizon(messages, options, policy, data):
    """Whatever comes and goes from a moment on, before the horizon all stays as it was."""
    cut = BUILT_IN[policy]
    at = data.draw(st.sampled_from(messages)).at if messages else 0
    at += data.draw(st.sampled_from([0, 0, 1, 3_600_000_000]))
    came = [one for one in messages if one.at < at or data.draw(st.booleans())]
    since = horizon(cut, messages, at, options)
    assert since <= at
    if since == BEGINNING:
        assert policy == "per-thread"
        return
    for some in (messages, came):
        apart = [one for one in some if one.at < since], [one for one in some if one.at >= since]
        assert cut(some, options) == cut(apart[0], options) + cut(apart[1], options)


def test_a_policy_that_does_not_tell_is_asked_about_everything():
    messages = [Sent(at * 10**12, str(at), "t") for at in range(9)]
    options = PolicyOptions()
    assert horizon(BUILT_IN["per-day"], messages, 8 * 10**12, options) > 7 * 10**12
    assert horizon(blind(BUILT_IN["per-day"]), messages, 8 * 10**12, options) == BEGINNING


async def bill(store: MemoryStore, random: Random, now: int) -> None:
    """Somebody bills a session that is over."""
    page = await store.search(DEFAULT_PROJECT, Query("Encounter", count=1000))
    over = [one for one in page.matches if decode(one.body)["status"] == "finished"]
    over = [one for one in over if is_session(decode(one.body))]
    if not over:
        return
    before = random.choice(over)
    body = {**decode(before.body), "meta": {"tag": [codes.BILLED]}}
    resource, written = stamp(body, before.id, new_id(now), now)
    version = resource["meta"]["versionId"]
    write = Write("Encounter", before.id, version, now, resource, written, before)
    await store.commit(DEFAULT_PROJECT, ChangeSet((write,)))


async def answer(store: MemoryStore, how: Settings, random: Random, clock: Ticking) -> None:
    """Somebody says whom a session is about."""
    page = await store.search(DEFAULT_PROJECT, Query("Task", count=1000))
    for task in page.matches:
        body = decode(task.body)
        if "focus" in body and body["status"] == "requested":
            possible = [one.removeprefix("Patient/") for one in candidates(body)]
            whom = random.sample(possible, random.randint(1, len(possible)))
            await answer_review(Seat(store, DEFAULT_PROJECT, how, clock=clock), task.id, whom)
            return


@COSTLY
@given(MESSAGES, SETTINGS, st.randoms(use_true_random=False), st.data())
def test_planning_from_a_horizon_equals_planning_the_whole(messages, how, random, data):
    """One intake takes what comes in any order, while people act, bill and answer."""
    steps = st.sampled_from(["", "", "open", "close", "reopen", "bill", "answer"])
    doing = data.draw(st.lists(steps, min_size=12, max_size=12))
    parts = [messages[at : at + 2] for at in range(0, len(messages), 2)]
    random.shuffle(parts)

    async def lived() -> None:
        store = await with_people()
        now = int(START.timestamp() * 1000)
        clock = Ticking(now + 60 * HOUR_MS)

        async def settings() -> Settings:
            return how

        intake = Intake(store, DEFAULT_PROJECT, settings, clock=clock)
        for part, does in zip(parts, doing, strict=False):
            clock.now += random.choice([0, 5, 30]) * HOUR_MS
            await intake.take(part)
            if does == "bill":
                await bill(store, random, clock())
            elif does == "answer":
                await answer(store, how, random, clock)
            elif does:
                with suppress(BadAct):  # What has been billed stays as it is.
                    await _act(store, does, how, clock, random)
        clock.now = NOW
        await intake.look()
        await intake.finish()
        assert await verify(store, DEFAULT_PROJECT) == []

    with planned_both_ways():
        asyncio.run(lived())


@COSTLY
@given(MESSAGES, SETTINGS, st.randoms(use_true_random=False))
def test_an_import_in_small_batches_plans_from_a_horizon(messages, how, random):
    shuffled = random.sample(messages, len(messages))
    with planned_both_ways():
        found = asyncio.run(record([shuffled], replace(how, batch=1)))
    assert found == asyncio.run(record([messages], how))


@pytest.mark.parametrize("policy", ["per-day", "inactivity-gap", "explicit"])
def test_work_does_not_grow_with_the_history(policy):
    """Of a year of days, the last one alone is cut when a message is added to it."""
    handed: list[int] = []
    told_by = BUILT_IN[policy]

    class Counting(Blind):
        def __call__(self, messages: Sequence[Sent], options: PolicyOptions) -> list[Session]:
            handed.append(len(messages))
            return super().__call__(messages, options)

        def horizon(self, messages: Sequence[Sent], at: int, options: PolicyOptions) -> int:
            return horizon(told_by, messages, at, options)

    how = Settings(policy=policy, options=parse_options(gap="6h"), owner=(OWN,), opening=("hello",))
    days = [
        Message("sms", str(day), ANA, (OWN,), START + timedelta(days=day), "hello", "hello", "a")
        for day in range(-300, 1)
    ]

    async def settings() -> Settings:
        return how

    async def lived() -> int:
        store = await with_people()
        intake = Intake(store, DEFAULT_PROJECT, settings, clock=lambda: NOW)
        await intake.take(days)
        handed.clear()
        late = replace(days[-1], external_id="late", sent=START + timedelta(minutes=1))
        await intake.take([late])
        return len(await live(store))

    with patch.dict(BUILT_IN, {policy: Counting(told_by)}):
        assert asyncio.run(lived()) > 300
    assert handed == [2]

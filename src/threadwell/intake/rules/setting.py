"""Rules are set: what waits already has its timers from then on."""

from __future__ import annotations

from threadwell.fhir.json import decode
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.kept_rules import checked_rules, keep_rules
from threadwell.intake.links import circle_of
from threadwell.intake.replies.saved import saved_replies
from threadwell.intake.rulebook.events import of_todo
from threadwell.intake.rulebook.reading import BadRules, line_of
from threadwell.intake.rulebook.ruleset import Event, RuleSet
from threadwell.intake.todos.listing import waiting_tasks
from threadwell.stores.contract import ChangeSet, Kept, Store

_AT_ONCE = 500


async def check_rules(store: Store, project: str, text: str) -> RuleSet:
    """The rules of a file, if they are right for that store; raises ``BadRules``."""
    rules = await checked_rules(store, project, text)
    saved = {one.name for one in await saved_replies(store, project)}
    problems = [
        f"line {line_of(text, path)}: {path} {one.then.reply!r} is no saved reply: "
        "`threadwell saved set` keeps one"
        for at, one in enumerate(rules.rules, 1)
        if (path := f"rule[{at}].then.reply") and one.then.reply and one.then.reply not in saved
    ]
    if problems:
        raise BadRules(problems)
    return rules


async def set_rules(store: Store, project: str, text: str, *, clock: Clock = now_ms) -> RuleSet:
    """Keep the rules of a file in the place of those before; raises ``BadRules``.

    A timer that is set twice is one, and one that has gone off does nothing twice.
    """
    await check_rules(store, project, text)
    rules = await keep_rules(store, project, text, clock=clock)
    if not rules.of(Event.UNANSWERED):
        return rules
    kept: list[Kept] = []
    async for stored in waiting_tasks(store, project):
        task = decode(stored.body)
        kept += of_todo(project, task, stored.id, circle_of(task), rules)
        if len(kept) >= _AT_ONCE:
            await store.commit(project, ChangeSet((), kept=tuple(kept)))
            kept.clear()
    if kept:
        await store.commit(project, ChangeSet((), kept=tuple(kept)))
    return rules

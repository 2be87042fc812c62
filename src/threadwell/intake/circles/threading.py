"""Which threads the messages of a circle are in, and what people have done to these. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from threadwell.encounters.placed import Placed
from threadwell.encounters.turned import by_thread
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.rules import Rules
from threadwell.threads import thread_key
from threadwell.threads.references import Mail, parents, thread_keys

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def thread_by_references(circle: Circle, rules: Rules) -> None:
    """Give each message that names others its thread, and the one that it answers."""
    by_channel: dict[str, list[Placed]] = {}
    for placed in circle.messages.values():
        if placed.by_references:
            by_channel.setdefault(placed.channel, []).append(placed)
    for channel, those in by_channel.items():
        known = {id_: placed.external_id for placed in those for id_ in placed.also}
        mails = [_mail(placed, known) for placed in those]
        roots, answered = thread_keys(_with_shared(mails, those)), parents(mails)
        for placed, key, answers in zip(those, roots, answered, strict=True):
            thread = thread_key(channel, key.root, circle.key)
            if placed.sent.thread != thread:
                circle.rethread(placed, key.root, thread, rules.by_patient)
            if placed.answers != answers:
                circle.answer(placed, answers, rules.by_patient)
    circle.threaded = True


def turn_threads(circle: Circle, rules: Rules) -> None:
    """Find what people have done to which thread; where that is news, it is projected anew."""
    threads = {one.child: one.sent.thread for one in circle.messages.values()}
    turning = by_thread(circle.turned.values(), threads)
    names = {*turning, *circle.turning}
    changed = {one for one in names if turning.get(one) != circle.turning.get(one)}
    for placed in circle.messages.values() if changed else ():
        if placed.sent.thread in changed:
            circle.moved.add(placed.sent.id)
            circle.soil(circle.scope_of(placed, rules.by_patient), placed.sent.at)
    circle.turning = turning


def _mail(placed: Placed, known: Mapping[str, str]) -> Mail[str]:
    """What threading needs of a message; ``known`` are ids of others by those that they have."""
    sent = _EPOCH + timedelta(microseconds=placed.sent.at)
    references, answers = placed.references, placed.in_reply_to
    if known:
        references = tuple([known.get(one, one) for one in references])
        answers = known.get(answers, answers)
    return Mail(placed.external_id, references, answers, sent, "")


def _with_shared(mails: list[Mail[str]], those: Sequence[Placed]) -> list[Mail[str]]:
    """The mails, where those that have one id follow it as if it were a mail: so do answers."""
    return [
        mail._replace(references=(*mail.references, placed.shared)) if placed.shared else mail
        for mail, placed in zip(mails, those, strict=True)
    ]

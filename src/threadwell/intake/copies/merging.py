"""The messages of circles move to the circles that these become, as patients were merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from threadwell.encounters.acts import act_again, done_by, in_circle
from threadwell.encounters.attribution import Reason, chosen, is_chosen, patients_of
from threadwell.encounters.identity import opened_by
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.circles.acting import unlocked_acts
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.inherited import Inherited
from threadwell.intake.circles.load import placed_in
from threadwell.intake.circles.place import ThreadOf
from threadwell.intake.circles.plan import is_kept_out
from threadwell.intake.circles.rules import Rules
from threadwell.intake.circles.succession import Former
from threadwell.intake.copies.recording import Desk, Draft, Recorded
from threadwell.intake.links import target
from threadwell.intake.people.replaced import repointed
from threadwell.stores.contract import Key
from threadwell.threads import circle_key


async def merge_circles(
    circles: Iterable[Circle], merged: Mapping[str, str], rules: Rules, desk: Desk
) -> Recorded:
    """Put the messages of those circles, and the acts, where their patients are now.

    What others had added to a session goes on with it. What has been billed stays, and so does
    what would change a billed session.
    """
    out = Recorded()
    for circle in circles:
        who = tuple(sorted({merged.get(one, one) for one in circle.patients}))
        key = circle_key(who)
        home = (await desk.circles({key: who}))[key]
        answers = _answers(circle)
        if home is not circle:
            _move_opened(circle, home, merged, _move_acts(circle, home, merged, rules))
        _leave(circle, home, merged)
        if home is not circle:
            _move_turned(circle, home)
            todos = [decode(circle.stored[key].body) for key in circle.todos]
            home.left += [repointed(one, merged) for one in todos]
        await _move_messages(circle, home, merged, answers, rules, desk, out)
        circle.merged = home.merged = True
        out.touched.update((circle.key, home.key))
    return out


def _leave(circle: Circle, home: Circle, merged: Mapping[str, str]) -> None:
    """What others have added to the sessions of a circle is for those of the other one."""
    former = Former(circle)
    for key in sorted(circle.live - circle.locked):
        if key.type in ("Encounter", "Communication") and (messages := former.messages(key)):
            body = repointed(before := former.body(key), merged)
            if home is circle and not _is_care_of(before, merged):
                continue
            first = messages[0].sent.id
            home.inherits.append(
                Inherited(circle.stored[key], body, first, frozenset(former.spoke(key)))
            )


def _is_care_of(body: Resource, merged: Mapping[str, str]) -> bool:
    """Whether it is the care, within a session, of one who is replaced."""
    return "partOf" in body and target(body, "subject") in merged


def _move_acts(circle: Circle, home: Circle, merged: Mapping[str, str], rules: Rules) -> set[str]:
    """Move the acts that may move; their ids are returned."""
    moved = unlocked_acts(circle, rules)
    for id_ in sorted(moved):
        key = Key("Task", id_)
        task: Resource = decode(circle.stored[key].body)
        again = act_again(repointed(task, merged), home.key, home.patients)
        del circle.acts[id_]
        home.stored[key] = circle.stored.pop(key)
        if done := done_by({**again, "id": id_}):
            home.act(done, again)
    return moved


def _move_opened(circle: Circle, home: Circle, merged: Mapping[str, str], acts: set[str]) -> None:
    """What an act has opened keeps its identity, in whichever circle that act is."""
    # A question that was answered is closed where it was asked.
    for key in sorted(circle.stored.keys() - circle.locked - circle.answered.keys()):
        body: Resource = decode(circle.stored[key].body)
        if opened_by(body) not in acts:
            continue
        home.stored[key] = circle.stored.pop(key)
        home.came[key] = repointed(body, merged)
        if key in circle.live:
            circle.live.discard(key)
            home.live.add(key)


def _move_turned(circle: Circle, home: Circle) -> None:
    """What people have done to threads goes with these: each names a message of its thread."""
    headers = {one.child: one.link.header for one in circle.messages.values() if one.link}
    for id_, turned in sorted(circle.turned.items()):
        if Key("Communication", headers.get(turned.message, "")) in circle.locked:
            continue
        key = Key("Task", id_)
        task: Resource = decode(circle.stored[key].body)
        del circle.turned[id_]
        home.stored[key] = circle.stored.pop(key)
        home.turn(turned, in_circle(task, home.key))


async def _move_messages(
    circle: Circle,
    home: Circle,
    merged: Mapping[str, str],
    answers: Mapping[str, tuple[Reason, ...]],
    rules: Rules,
    desk: Desk,
    out: Recorded,
) -> None:
    those = [
        one
        for one in circle.messages.values()
        if one.link is not None and Key("Communication", one.link.header) not in circle.locked
    ]
    found = await desk.current([Key("Communication", one.child) for one in those])
    for one in those:
        stored = found.get(Key("Communication", one.child))
        if stored is None or stored.deleted:
            continue
        body = repointed(decode(stored.body), merged)
        thread = ThreadOf(one.thread_id, one.by_references)
        again = await placed_in(home, thread, body, desk.people, desk.keywords)
        if again is None:
            continue
        if is_chosen(one.reasons):  # It may have been said since the message was written.
            again.reasons = _of_those_who_stay(one.reasons, merged)
            again.about = patients_of(again.reasons)
        elif one.link and not again.about and (answer := answers.get(one.link.header)):
            # By the record that stays it may name nobody, and by the other one it did.
            again.reasons, again.about = answer, patients_of(answer)
        if home is not circle and is_kept_out(home, again, rules):
            continue
        circle.let_go(one, desk.by_patient)
        home.take_back(again, desk.by_patient)
        out.drafts[one.child] = Draft(home, again, body, stored, ())


def _answers(circle: Circle) -> dict[str, tuple[Reason, ...]]:
    """What was answered and is not written yet, by the headers (logical ids) of its session."""
    sessions = {
        target(decode(circle.stored[task].body), "focus"): chosen(whom, f"Task/{task.id}")
        for task, whom in circle.answered.items()
    }
    headers = (key for key in circle.live if sessions and key.type == "Communication")
    there = {key.id: target(decode(circle.stored[key].body), "encounter") for key in headers}
    return {id_: sessions[name] for id_, name in there.items() if name in sessions}


def _of_those_who_stay(reasons: Iterable[Reason], merged: Mapping[str, str]) -> tuple[Reason, ...]:
    """The reasons, one for each patient who stays."""
    found: dict[str, Reason] = {}
    for one in reasons:
        new = merged.get(one.patient, one.patient)
        found.setdefault(new, one._replace(patient=new))
    return tuple(sorted(found.values()))

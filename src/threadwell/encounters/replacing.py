"""A message of the practice that takes the place of one that was taken back. Pure.

It is the one that answers that, whoever has written it and in however many steps. What a patient's
side wrote since is not answered by it: whoever corrects an old message has not read a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from threadwell.encounters.placed import Link, Placed


def taken_back(messages: Iterable[Placed]) -> dict[str, Placed]:
    """Those of the practice that were taken back, by their logical ids."""
    return {one.child: one for one in messages if one.retracted and not one.sent.inbound}


def in_their_places(
    messages: Sequence[Placed],
    wrong: Mapping[str, Placed],
    links: Mapping[str, Link] | None = None,
) -> Sequence[Placed]:
    """The messages with those that take the place of another standing there.

    ``messages`` are in the order of time, ``wrong`` is what was ``taken_back``, and ``links`` are
    those that are newer than what stands on the messages, by identity.
    """
    if not wrong:
        return messages
    places = [replaced(one, wrong, links or {}) for one in messages]
    if all(one is None for one in places):
        return messages
    standing = [
        one if place is None else replace(one, sent=place.sent)
        for one, place in zip(messages, places, strict=True)
    ]
    return sorted(standing, key=lambda one: one.sent)


def replaced(
    placed: Placed, wrong: Mapping[str, Placed], links: Mapping[str, Link]
) -> Placed | None:
    """The message in whose place one is: the first, where that was corrected again and again."""
    found: Placed | None = None
    seen = {placed.child}
    now = placed
    while not now.sent.inbound:
        link = links.get(now.sent.id, now.link)
        before = wrong.get(link.reply) if link else None
        if before is None or before.child in seen:
            break
        seen.add(before.child)
        found = now = before
    return found


def replacement(messages: Iterable[Placed], child: str) -> Placed | None:
    """What stands in the place of the message of that logical id; ``None`` where nothing does.

    What was corrected again is followed to the one that counts.
    """
    answering: dict[str, list[Placed]] = {}
    for one in messages:
        if one.link is not None and one.link.reply and not one.sent.inbound:
            answering.setdefault(one.link.reply, []).append(one)
    seen = {child}
    now = [child]
    while now:
        found = [one for each in now for one in answering.get(each, ()) if one.child not in seen]
        if counting := [one for one in found if not one.retracted]:
            return min(counting, key=lambda one: one.sent)
        now = [one.child for one in found]
        seen.update(now)
    return None

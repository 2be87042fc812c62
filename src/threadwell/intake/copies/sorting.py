"""Which messages are the first of their id, and which meet others that have it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from threadwell.encounters.drafts import is_draft
from threadwell.fhir.json import decode
from threadwell.messages import Message
from threadwell.stores.contract import Key, Stored

#: How a draft is told that is being sent, without reading every message that is there.
_DRAFT = b'"preparation"'


def by_id(ids: Sequence[str], messages: Sequence[Message]) -> dict[str, list[Message]]:
    """The messages by the id of a sole child, each once however often it was given."""
    groups: dict[str, list[Message]] = {}
    for id_, message in zip(ids, messages, strict=True):
        those = groups.setdefault(id_, [])
        if message not in those:
            those.append(message)
    return groups


def sort(
    groups: Mapping[str, list[Message]],
    found: Mapping[Key, Stored],
    is_known: Callable[[Stored, Message], bool],
) -> tuple[dict[str, Message], dict[str, list[Message]]]:
    """The messages that are the first of their id, and those that are not, by that id.

    ``found`` is what is stored under the ids. What is known already is in neither.
    """
    fresh: dict[str, Message] = {}
    met: dict[str, list[Message]] = {}
    for id_, those in groups.items():
        before = found.get(Key("Communication", id_)) if found else None
        if before is not None and those[0].author and _is_draft(before):
            # Somebody sends it: it becomes this message.
            before = None
        if before is None and len(those) == 1:
            fresh[id_] = those[0]
        elif before is None:
            met[id_] = those
        elif more := [one for one in those if not is_known(before, one)]:
            met[id_] = more
    return fresh, met


def _is_draft(stored: Stored) -> bool:
    return _DRAFT in stored.body and not stored.deleted and is_draft(decode(stored.body))

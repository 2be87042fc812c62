"""Which of the files that are whole are to be imported now, and which come with another one."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from os.path import realpath
from pathlib import Path

from threadwell.channels import Channel
from threadwell.channels.reading import attached, is_known
from threadwell.facade.watching.arrivals import Arrival

_UNKNOWN = "not a format that Threadwell reads; its bytes wait in the quarantine"
_FORBIDDEN = "it may not be read: give the account of Threadwell the right to, and put it back"


@dataclass(slots=True)
class Chosen:
    """``taken`` are to be imported, ``along`` belong to their messages.

    Of those in ``failed`` nothing can be read, for the reason there.
    """

    taken: list[Arrival] = field(default_factory=list)
    along: list[Arrival] = field(default_factory=list)
    failed: dict[Arrival, str] = field(default_factory=dict)


def choose(
    ready: Sequence[Arrival],
    coming: Collection[Path],
    channels: Sequence[Channel],
    may_belong: Callable[[Arrival], bool],
    *,
    any_format: bool,
) -> Chosen:
    """What to do with files that are ``ready``, while those that are ``coming`` still change.

    What no channel knows waits as long as it ``may_belong`` to something that is on its way, such
    as a picture to its chat. With ``any_format`` it is not asked what files are.
    """
    out = Chosen()
    beside = {one: attached([one.path], channels) for one in ready if _is_readable(one)}
    named = {path for paths in beside.values() for path in paths}
    late = set(map(realpath, coming))
    for one in ready:
        if realpath(one.path) in named or not late.isdisjoint(beside.get(one, ())):
            continue
        if one not in beside:
            out.failed[one] = _FORBIDDEN
        elif not any_format and not is_known(one.path, channels):
            if may_belong(one):
                continue
            out.failed[one] = _UNKNOWN
        out.taken.append(one)
    along = {path for one in out.taken for path in beside.get(one, ())}
    out.along += [one for one in ready if realpath(one.path) in along]
    return out


def _is_readable(one: Arrival) -> bool:
    return os.access(one.path, os.R_OK)

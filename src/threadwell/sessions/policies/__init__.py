"""The session policies by name: one module each, and those that a user has installed.

A policy of the user's own is a ``Policy`` under the entry point group ``threadwell.policies``.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from threadwell.sessions.policies.explicit import explicit
from threadwell.sessions.policies.inactivity_gap import inactivity_gap
from threadwell.sessions.policies.per_day import per_day
from threadwell.sessions.policies.per_thread import per_thread
from threadwell.sessions.session import Policy

BUILT_IN: dict[str, Policy] = {
    "explicit": explicit,
    "inactivity-gap": inactivity_gap,
    "per-day": per_day,
    "per-thread": per_thread,
}

#: Those that never ask what day it is: other rules of a zone move none of their sessions.
NOT_BY_DAY = frozenset({"explicit", "inactivity-gap", "per-thread"})

#: What cuts the sessions of each policy beside its scope and its zone.
_CUT_BY = {
    "explicit": frozenset({"gap", "opening", "closing"}),
    "inactivity-gap": frozenset({"gap"}),
    "per-day": frozenset[str](),
    "per-thread": frozenset[str](),
}

_GROUP = "threadwell.policies"


class UnknownPolicy(ValueError):
    """No policy has that name; the message lists those there are."""


def is_cut_by(policy: str, setting: str) -> bool:
    """Whether ``gap``, ``opening`` or ``closing`` (keywords) cuts sessions of that policy.

    Of a policy of the user's own nobody knows: there each does.
    """
    return policy not in _CUT_BY or setting in _CUT_BY[policy]


def policy_names() -> list[str]:
    """Every name that ``find_policy`` knows, in alphabetical order."""
    return sorted({*BUILT_IN, *entry_points(group=_GROUP).names})


def find_policy(name: str) -> Policy:
    """The policy of that name; raises ``UnknownPolicy``, also where it cannot be loaded.

    The built-in ones cannot be replaced.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    for entry in entry_points(group=_GROUP, name=name):
        try:
            policy: Policy = entry.load()
        except Exception as error:
            why = f"its package cannot be loaded ({type(error).__name__})"
            raise UnknownPolicy(f"the session policy {name!r} is installed, but {why}") from error
        return policy
    raise UnknownPolicy(f"no session policy {name!r}; there are: {', '.join(policy_names())}")

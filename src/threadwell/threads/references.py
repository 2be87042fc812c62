"""Which mails make one thread, by the ids that they name (RFC 5322 §3.6.4).

A mail names its ancestors in References and In-Reply-To. Mails that share an id, be it of a mail
that nobody here has seen, belong together, as in Jamie Zawinski's algorithm. The subject never
counts. Everything here depends on the set of mails only: not on their order, their batches, or
how often each of them is handed over.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

Group = TypeVar("Group", bound=Hashable)


class Mail(NamedTuple, Generic[Group]):
    """What threading needs of one mail.

    ``references`` are oldest first. ``group`` is whom the mail is about: mails of two groups never
    meet in one thread, whatever they name, so a mail forwarded to somebody else starts afresh.
    """

    external_id: str
    references: tuple[str, ...]
    in_reply_to: str
    sent: datetime
    group: Group


class ThreadKey(NamedTuple, Generic[Group]):
    """Names one mail thread: ``root`` is the id of its first mail, seen or only named.

    The same root in two groups is two threads.
    """

    group: Group
    root: str


def thread_keys(mails: Sequence[Mail[Group]]) -> list[ThreadKey[Group]]:
    """The thread of each mail, in the order of ``mails``.

    The root is the one id of the thread that no mail gives an ancestor. A reply never changes
    it, nor does the arrival of a root that replies have already named. Of several roots (a mail
    that answers two threads at once, ancestors cut out by a mail program) it is the one that the
    earliest mail names, of equals the least; so too where mails answer each other in a loop.
    A key changes only when a late mail names an older ancestor or joins two threads; of two
    joined threads, one keeps its key.
    """
    threads: dict[Group, _Threads] = {}
    for mail in mails:
        group = threads.get(mail.group)
        if group is None:
            group = threads[mail.group] = _Threads()
        group.add(mail)
    roots = {group: found.roots() for group, found in threads.items()}
    return [ThreadKey(mail.group, roots[mail.group][mail.external_id]) for mail in mails]


def parents(mails: Sequence[Mail[Group]]) -> list[str]:
    """The id of the mail that each mail answers, in the order of ``mails``.

    It is the one of In-Reply-To, else the last of References; ``""`` where the mail names none
    or the one it names is not among the mails of its group. Following parents always ends: where
    mails claim to answer each other in a loop, the earliest of them answers none.
    """
    sent: dict[tuple[Group, str], datetime] = {}
    for mail in mails:
        key = (mail.group, mail.external_id)
        sent[key] = min(sent.get(key, mail.sent), mail.sent)
    answers: dict[tuple[Group, str], str] = {}
    for mail in mails:
        key = (mail.group, mail.external_id)
        for candidate in (mail.in_reply_to, *mail.references[-1:]):
            if candidate != mail.external_id and (mail.group, candidate) in sent:
                answers[key] = max(answers.get(key, ""), candidate)
                break
    for loop in _loops(answers):
        del answers[min(loop, key=lambda key: (sent[key], key[1]))]
    return [answers.get((mail.group, mail.external_id), "") for mail in mails]


def _chain(mail: Mail[Group]) -> list[str]:
    """The ids that a mail names, oldest ancestor first, itself last, each once."""
    own = mail.external_id
    chain = dict.fromkeys(mail.references)
    if mail.in_reply_to:
        chain.setdefault(mail.in_reply_to)
    chain.pop(own, None)
    return [*chain, own]


class _Threads:
    """The ids of one group: who belongs with whom, and who has an ancestor."""

    def __init__(self) -> None:
        self._leader: dict[str, str] = {}
        self._named: dict[str, datetime] = {}
        self._first: set[str] = set()
        self._later: set[str] = set()

    def add(self, mail: Mail[Group]) -> None:
        chain = _chain(mail)
        named, sent = self._named, mail.sent
        for id_ in chain:
            known = named.get(id_)
            if known is None or sent < known:
                named[id_] = sent
        self._first.add(chain[0])
        leader = self._find(chain[0])
        for id_ in chain[1:]:
            self._later.add(id_)
            other = self._find(id_)
            if other != leader:
                self._leader[other] = leader

    def roots(self) -> dict[str, str]:
        """The root of the thread of every id."""
        best: dict[str, tuple[bool, datetime, str]] = {}
        for id_ in self._first:
            rank = (id_ in self._later, self._named[id_], id_)
            leader = self._find(id_)
            if leader not in best or rank < best[leader]:
                best[leader] = rank
        return {id_: best[self._find(id_)][2] for id_ in self._leader}

    def _find(self, id_: str) -> str:
        leader = self._leader
        above = leader.setdefault(id_, id_)
        while above != id_:
            leader[id_] = leader[above]
            id_, above = above, leader[above]
        return id_


def _loops(
    answers: dict[tuple[Group, str], str],
) -> list[list[tuple[Group, str]]]:
    """The loops that following ``answers`` runs into."""
    loops: list[list[tuple[Group, str]]] = []
    done: set[tuple[Group, str]] = set()
    for start in answers:
        path: dict[tuple[Group, str], None] = {}
        key = start
        while key in answers and key not in done and key not in path:
            path[key] = None
            key = (key[0], answers[key])
        if key in path:
            steps = list(path)
            loops.append(steps[steps.index(key) :])
        done.update(path)
    return loops

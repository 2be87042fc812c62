"""What an import tells while it runs and when it is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields

from threadwell.intake.commits.outcome import Outcome
from threadwell.intake.commits.trial import Trial


@dataclass(slots=True)
class Counts:
    """How far an import is; ``read`` is always the sum of the other three.

    ``known`` were there already, or somebody has dismissed them from quarantine; ``quarantined``
    are held back, now or since an earlier import. While what is read is brought together first,
    ``gathered`` tells how much of it there is; ``circles`` tells of how many patients, or families,
    all sessions were cut anew.
    """

    read: int = 0
    new: int = 0
    known: int = 0
    quarantined: int = 0
    gathered: int = 0
    circles: int = 0

    def add(self, other: Counts) -> None:
        """Count what another one has counted."""
        self.read += other.read
        self.new += other.new
        self.known += other.known
        self.quarantined += other.quarantined


@dataclass(slots=True)
class Done:
    """What a commit does, or all those of an import.

    ``replayed`` messages were held by an earlier import and have their place now; they are not
    among ``counts``. ``completed`` messages were there, and say more now: a more complete copy of
    them has come; of ``retimed`` ones the time was put right. ``reworded`` are the wordings that
    their senders have replaced by others. ``shared_ids`` messages are new under an id that another
    one had before: both are kept. ``reasons`` counts the quarantined by reason code. ``sessions``
    are the session encounters made anew, ``back`` those that had been superseded and count again,
    ``superseded`` the resources that became ``entered-in-error``, ``reviews`` the new questions
    that a person has to answer, ``answers`` those answered before that took effect now,
    ``corrected`` the messages of which a person has said since whom they are about.
    """

    counts: Counts = field(default_factory=Counts)
    replayed: int = 0
    completed: int = 0
    retimed: int = 0
    reworded: int = 0
    shared_ids: int = 0
    sessions: int = 0
    back: int = 0
    superseded: int = 0
    reviews: int = 0
    answers: int = 0
    corrected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Done) -> None:
        """Count what another one has done."""
        self.counts.add(other.counts)
        self.reasons.update(other.reasons)
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))


_NUMBERS = tuple(one.name for one in fields(Done) if one.name not in ("counts", "reasons"))


@dataclass(slots=True)
class Report(Done):
    """The outcome of an import.

    A dry run has as ``trial`` what it would have written, and as ``outcome`` what would have come
    of it.
    """

    trial: Trial | None = None
    outcome: Outcome | None = None

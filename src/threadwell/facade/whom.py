"""Whom sessions are about, and why, as plain method calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from threadwell.facade.verbs import Verbs
from threadwell.facade.wanted import several

if TYPE_CHECKING:
    from threadwell.intake import Report, Why


class Whom(Verbs):
    """Whom messages are about: why that is so, and what a person says of it."""

    def why(self, session: str) -> tuple[Why, ...]:
        """Why a session is about whom it is about: ``[w.words for w in tw.why(session.id)]``.

        Each reason is there once, with the number of messages that have it; none where no import
        has made the session, or nobody knows whom it is about.
        """
        from threadwell.intake import why

        id_ = session.removeprefix("Encounter/")
        return self._show("why", why(self._store, self._project, id_))

    def about(
        self, subject: str, patients: str | Sequence[str], *, messages: str | Sequence[str] = ()
    ) -> Report:
        """Say whom a session, a thread header or a message is about, whatever it names, for good.

        For example::

            tw.about("Encounter/123", ["Patient/456"])
            tw.about("Communication/789", ["Patient/456"], messages=["Communication/790"])

        Without a patient it is about nobody of whom it is known, and a review asks. Raises
        ``threadwell.intake.BadCorrection``.
        """
        from threadwell.facade.importing import run_correction

        whom, which = several(patients), several(messages)
        return self._loop.call(run_correction(self._store, self._project, subject, whom, which))

    def say_whether_same(self, task: str, *, same: bool) -> Report:
        """Say whether a held message is the one that it is suspected to be, come by another way.

        For example::

            for one in tw.quarantine():
                if one.reason == "suspected-duplicate":
                    tw.say_whether_same(one.task, same=True)

        The same gets its id, and what it lacked; another one has its place. Either holds for good.
        Raises ``threadwell.intake.BadSameness``.
        """
        from threadwell.facade.importing import run_sameness

        name = task if "/" in task else f"Task/{task}"
        return self._loop.call(run_sameness(self._store, self._project, name, same=same))

"""Sessions that a person opens and closes, and what others there would be, as method calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from threadwell.facade.verbs import Verbs
from threadwell.facade.wanted import several

if TYPE_CHECKING:
    from threadwell.intake import Acted, Merged, Part, Preview, Split


class Acting(Verbs):
    """What people do to sessions. Each act is recorded, and holds whatever comes later."""

    def open_session(
        self, patients: str | Sequence[str] = (), *, thread: str = "", by: str = "", why: str = ""
    ) -> Acted:
        """Open a session for patients, or in the thread of a header: the next message joins it.

        For example::

            tw.open_session("Patient/456", by="Nils Berg").session
            tw.open_session(thread="Communication/789")

        Where one is open it is that one. ``by`` says who has opened it, ``why`` the reason. Raises
        ``threadwell.intake.BadAct``.
        """
        from threadwell.facade.importing import run_opening

        return self._loop.call(
            run_opening(self._store, self._project, several(patients), thread, by, why)
        )

    def close_session(self, session: str, *, by: str = "", why: str = "") -> Acted:
        """Close a session: ``tw.close_session("Encounter/123").status == "finished"``.

        What is written later opens the session of that day or thread again; by silence or by
        keywords it is none of the session. Raises ``threadwell.intake.BadAct``.
        """
        from threadwell.facade.importing import run_act

        return self._loop.call(run_act(self._store, self._project, session, by, why, close=True))

    def reopen_session(self, session: str, *, by: str = "", why: str = "") -> Acted:
        """Open a closed session again: ``tw.reopen_session("Encounter/123", why="Wrong one")``.

        It is closed again by somebody, or by silence. What has been billed stays closed. Raises
        ``threadwell.intake.BadAct``.
        """
        from threadwell.facade.importing import run_act

        return self._loop.call(run_act(self._store, self._project, session, by, why, close=False))

    def split_by_patient(self, session: str, parts: Sequence[Part]) -> Split:
        """Make or correct the medical encounters of a session, a part for each patient.

        For example::

            from threadwell.intake import Part
            parts = [Part("Patient/1", ("Communication/7",)), Part("Patient/2")]
            tw.split_by_patient("Encounter/123", parts).encounters["Patient/1"]

        A part without messages has all that no part names. Raises
        ``threadwell.intake.BadCorrection``, also for a detail of another patient.
        """
        from threadwell.facade.importing import run_split

        return self._loop.call(run_split(self._store, self._project, session, parts))

    def merge_patients(self, old: str, new: str, *, by: str = "") -> Merged:
        """Let one patient take the place of another: two records turned out to be one person.

        For example::

            tw.merge_patients("Patient/12", "Patient/7").patient == "Patient/7"

        Threads, sessions, addresses and family are those of ``new`` from then on. The next import
        does the same where somebody has written ``replaced-by`` into the one that is no longer
        ``active``. Raises ``threadwell.intake.BadMerge``.
        """
        from threadwell.facade.importing import run_merge

        return self._loop.call(run_merge(self._store, self._project, old, new, by))

    def preview(
        self,
        *,
        policy: str | None = None,
        gap: str | None = None,
        scope: str | None = None,
        zone: str | ZoneInfo | None = None,
        opening: str | Sequence[str] = (),
        closing: str | Sequence[str] = (),
    ) -> Preview:
        """What another policy would make of what is stored, beside today's; nothing is written.

        For example::

            found = tw.preview(policy="inactivity-gap", gap="12h")
            print(found.today.sessions, found.then.sessions)

        What is left out stays as it was chosen.
        """
        from threadwell.facade.importing import run_preview
        from threadwell.intake.choices import Asked

        asked = Asked(policy, gap, scope, zone, several(opening), several(closing))
        return self._show("preview", run_preview(self._store, self._project, asked))

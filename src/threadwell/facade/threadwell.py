"""The ``Threadwell`` that ``threadwell.open`` returns."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from threadwell.app import open_store, open_trail, trail_folder
from threadwell.audit.record import Who
from threadwell.audit.trail import Trail
from threadwell.facade.acting import Acting
from threadwell.facade.auditing import Auditing
from threadwell.facade.guiding import Guiding
from threadwell.facade.indexing import Indexing
from threadwell.facade.listing import Listing
from threadwell.facade.projecting import Projecting
from threadwell.facade.providing import Providing
from threadwell.facade.reading import ReadingStore
from threadwell.facade.ruling import Ruling
from threadwell.facade.subscribing import Subscribing
from threadwell.facade.wanted import several
from threadwell.messages import Address
from threadwell.stores.contract import Store

if TYPE_CHECKING:
    from threading import Event

    from threadwell.facade.importing import ImportJob
    from threadwell.facade.watching import Round, Watching
    from threadwell.inbox.finding import PatientFound
    from threadwell.inbox.quarantine import HeldItem, HeldRow
    from threadwell.inbox.reviews import Review
    from threadwell.intake import Counts, Finding, Quarantined, Report, ZoneReport
    from threadwell.intake.choices import Asked, Choices

T = TypeVar("T")
Paths: TypeAlias = str | Path | Iterable[str | Path]


def open_threadwell(
    store: str | Path = "threadwell.db",
    *,
    create: bool = True,
    read_only: bool = False,
    project: str = "",
) -> Threadwell:
    """Open the store at ``sqlite:///PATH``, a path or ``postgresql://…``, for ``with``.

    For example::

        with threadwell.open("practice.db") as tw:
            tw.search_resources("Encounter", {"status": "in-progress"})

    ``project`` is the name or the id of one of its projects (docs/projects.md), else the first. A
    store that is not there is made, or with ``create`` false is a ``StoreError``. With
    ``read_only`` it is never made and takes no changes (``StoreError``), and may be where nothing
    can be written: a snapshot, a read-only system, a database that is a standby.
    """
    if not isinstance(store, (str, Path)):
        raise TypeError(f"a store is a path or URL, not of type {type(store).__name__}")
    if read_only:
        return Threadwell(
            lambda: ReadingStore(open_store(store, reading=True)), project, reading_trail(store)
        )
    return Threadwell(
        lambda: open_store(store, create=create),
        project,
        lambda opened, by: open_trail(store, opened, by),
    )


def reading_trail(url: str | Path) -> Callable[[Store, Who], Trail]:
    """What was seen waits beside the store, if that is where anything can be written."""

    def trail(opened: Store, by: Who) -> Trail:
        folder = trail_folder(url)
        while folder is not None and not folder.exists() and folder != folder.parent:
            folder = folder.parent
        can = folder is not None and os.access(folder, os.W_OK)
        return open_trail(url, opened, by) if can else Trail(opened, by=by)

    return trail


class Threadwell(
    Acting, Auditing, Guiding, Indexing, Listing, Projecting, Providing, Ruling, Subscribing
):
    """A store, with FHIR's verbs and the import as plain method calls.

    The work is done by an event loop in a thread of its own, so that the methods may be called
    from any thread, from many at once, and where another loop is running (a notebook). Refused
    requests raise ``OperationOutcomeError``, all methods ``StoreError`` once it is closed.
    """

    def import_messages(
        self,
        paths: Paths,
        *,
        channel: str | None = None,
        policy: str | None = None,
        gap: str | None = None,
        scope: str | None = None,
        zone: str | ZoneInfo | None = None,
        people: str | Path | None = None,
        unknown: str = "quarantine",
        owner: str | Address | Sequence[str | Address] = (),
        country: str = "",
        opening: str | Sequence[str] = (),
        closing: str | Sequence[str] = (),
        clinical_types: str | Sequence[str] = (),
        organization: str = "",
        columns: str | Sequence[str] = (),
        set_aside: str | Sequence[str] = (),
        dry_run: bool = False,
        correct_times: bool = False,
        workers: int | None = None,
        progress: Callable[[Counts], None] | None = None,
    ) -> Report:
        """Import files and folders of exports; may be repeated, and imports nothing twice.

        For example::

            report = tw.import_messages("exports/", people="people.csv", zone="America/New_York")
            print(report.counts.new, "new messages")

        ``channel`` is found by content where it is ``None``. ``policy`` cuts sessions
        (``per-day``, which is the default, ``per-thread``, ``inactivity-gap`` with ``gap``,
        ``explicit`` with the keywords ``opening`` and ``closing``), for each ``"thread"`` or, with
        ``scope="patient"``, across a patient's threads. ``zone`` is the care time zone (IANA).
        The store keeps these: later imports go by them, and raise ``OtherChoice`` when they are
        told otherwise (see ``recut``). Without any zone days are those of UTC, which is logged,
        and times that need one raise ``NeedsZone``.
        ``country`` (such as ``GB``; ``US`` until one is given) is where numbers without a country
        code belong, and how days and times are written; the store keeps it too.
        ``owner`` are the practice's own phone numbers and mail addresses. ``unknown="patient"``
        makes a Patient of each unknown sender instead of holding their messages.
        ``clinical_types`` (``[CHANNEL=]SYSTEM|CODE[|DISPLAY]``) and ``organization`` (a name or
        ``Organization/…``) are for new Encounters, and are kept too. ``columns`` are what tables
        call ours (``sent=created_at``, ``channel=:spruce`` for all rows), and rows with a value of
        ``set_aside`` (``type=NOTE``) are no messages. With ``dry_run``
        nothing is written, and ``outcome`` of the report tells which sessions would be made,
        changed and superseded, and what would be held. With ``correct_times``, ``zone`` may be
        another one: times of these files that were read in a wrong one are put right, and all
        sessions cut anew. Where there is much to do, so many ``workers`` are processes that decide
        while this one writes: as many as there are cores, if it is not told, and none where it is
        0. ``progress`` is called in the thread of the event loop.
        """
        from threadwell.facade.importing import ImportJob, Who, as_paths
        from threadwell.intake.choices import Asked

        job = ImportJob(
            paths=as_paths(paths),
            channel=channel,
            who=Who.of(people, unknown, owner, country),
            asked=Asked(
                policy=policy,
                gap=gap,
                scope=scope,
                zone=zone,
                opening=several(opening),
                closing=several(closing),
                clinical_types=several(clinical_types),
                organization=organization,
            ),
            dry_run=dry_run,
            correct_times=correct_times,
            workers=workers,
            columns=several(columns),
            set_aside=several(set_aside),
        )
        return self.import_plan(job, progress)

    def import_plan(
        self,
        job: ImportJob,
        progress: Callable[[Counts], None] | None = None,
        told: Callable[[Choices], None] | None = None,
    ) -> Report:
        """``import_messages`` of a job; ``told`` by what the sessions are cut, before they are."""
        from threadwell.facade.importing import run_import

        return self._loop.call(run_import(self._store, self._project, job, progress, told))

    def watch(
        self,
        watching: Watching,
        tell: Callable[[Round], None],
        stop: Event,
        told: Callable[[Choices], None] | None = None,
    ) -> None:
        """Import what arrives in a folder, once it is whole, until ``stop`` is set, or once.

        For example::

            plan = Watching(Path("in"), ImportJob(()), once=True)
            tw.watch(plan, print, threading.Event())

        ``tell`` is called after each look at the folder that did anything.
        """
        from threadwell.facade.watching import watch

        self._loop.call(watch(self._store, self._project, watching, tell, stop, told))

    def recut(
        self,
        *,
        policy: str | None = None,
        gap: str | None = None,
        scope: str | None = None,
        zone: str | ZoneInfo | None = None,
        opening: str | Sequence[str] = (),
        closing: str | Sequence[str] = (),
        dry_run: bool = False,
        progress: Callable[[Counts], None] | None = None,
    ) -> Report:
        """Cut all sessions anew, and later imports so too: ``tw.recut(policy="per-thread")``.

        What no longer holds is superseded; sessions that were billed stay. What is left out stays
        as it was chosen. With ``dry_run`` nothing is written, and ``outcome`` of the report tells
        which sessions would be made, changed and superseded.
        """
        from threadwell.intake.choices import Asked

        asked = Asked(policy, gap, scope, zone, several(opening), several(closing))
        return self.recut_plan(asked, progress, dry_run=dry_run)

    def recut_plan(
        self,
        asked: Asked,
        progress: Callable[[Counts], None] | None = None,
        told: Callable[[Choices], None] | None = None,
        *,
        dry_run: bool = False,
    ) -> Report:
        """``recut`` as it is asked; ``told`` by what the sessions are cut, before they are."""
        from threadwell.facade.importing import run_recut

        return self._loop.call(
            run_recut(self._store, self._project, asked, progress, told, dry_run=dry_run)
        )

    def replay(
        self,
        *,
        people: str | Path | None = None,
        unknown: str = "quarantine",
        owner: str | Address | Sequence[str | Address] = (),
        country: str = "",
    ) -> Report:
        """Give their place to held messages that can have it now, as every import does.

        For example::

            print(tw.replay(people="people.csv").replayed, "messages placed")
        """
        from threadwell.facade.importing import Who, run_replay

        who = Who.of(people, unknown, owner, country)
        return self._loop.call(run_replay(self._store, self._project, who))

    def zones(self) -> ZoneReport:
        """Which zone data there is, and what it would move: ``tw.zones().days.waiting``."""
        from threadwell.intake import zone_report

        return self._loop.call(zone_report(self._store, self._project))

    def find_patients(self, name: str) -> list[PatientFound]:
        """The patients whose names begin with every word of ``name``, at most fifty.

        Of a phone number or mail address, those who have it, or whose relatives have it.
        For example::

            [patient.id for patient in tw.find_patients("mia cast")]
        """
        from threadwell.inbox.finding import find_patients

        return self._show(
            "patients", self._read(lambda reader, dates: find_patients(reader, name, dates))
        )

    def quarantine(self) -> list[Quarantined]:
        """Every held message, in the order of their holding: ``tw.quarantine()[0].reason``."""
        from threadwell.intake import quarantine

        return self._show("quarantine", quarantine(self._store, self._project))

    def held_rows(self) -> list[HeldRow]:
        """The held messages as the pages list them: ``[r.title for r in tw.held_rows()]``."""
        from threadwell.inbox.quarantine import all_held

        return self._show("quarantine", self._read(all_held))

    def held(self, task: str) -> HeldItem | None:
        """One held message whole, by the id of its Task; ``None`` if it is not held.

        For example::

            print(tw.held(tw.quarantine()[0].task).text)
        """
        from threadwell.inbox.quarantine import load_held

        if not isinstance(task, str):
            raise TypeError(f"a held message is named by its Task, not by {type(task).__name__}")
        id_ = task.removeprefix("Task/")
        return self._show(
            "quarantine", self._read(lambda reader, dates: load_held(reader, id_, dates))
        )

    def reviews(self) -> list[Review]:
        """The open questions for a person: ``[r.why for r in tw.reviews()]``."""
        from threadwell.inbox.reviews import all_reviews

        return self._show("reviews", self._read(all_reviews))

    def answer_review(
        self, task: str, patients: str | Sequence[str], *, holds_for: str = "address"
    ) -> Report:
        """Answer the review Task that asks which patients a session is about, at once.

        For example::

            review = tw.reviews()[0]
            tw.answer_review(review.task, [review.candidates[0].patient])

        It may ask who writes at a shared address: a ``RelatedPerson/…``, too, and several. That
        may be said at any message (``Communication/…``, a held one's ``Task/…``), ``holds_for`` its
        ``"thread"`` or ``"message"`` alone. Answered again, it corrects the answer. Raises
        ``threadwell.intake.BadAnswer``.
        """
        from threadwell.facade.importing import run_answer

        answer = run_answer(self._store, self._project, task, several(patients), holds_for)
        return self._loop.call(answer)

    def verify(self, *, checked: Callable[[int], None] | None = None) -> list[Finding]:
        """What in the store does not keep the pattern; empty if all does.

        ``checked`` is told how many messages were looked at. For example::

            assert not tw.verify()
        """
        from threadwell.intake import verify

        return self._loop.call(verify(self._store, self._project, checked))

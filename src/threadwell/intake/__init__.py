"""Takes messages in: deduplicate, resolve people, place, assign, project, commit.

The one place that reads a store, decides and commits. Every batch of an import becomes visible
whole or not at all.

A room is loaded when something of it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadwell.intake.acts import Acted, BadAct, close_session, open_session, reopen_session
    from threadwell.intake.answering import answer_review
    from threadwell.intake.bad_setting import BadSetting
    from threadwell.intake.care_zone import OlderZoneData, ZoneReport, zone_report
    from threadwell.intake.commits.counts import Counts, Report
    from threadwell.intake.commits.outcome import Outcome, TriedHeld, TriedSession
    from threadwell.intake.correcting import BadCorrection, Corrected, correct_attribution
    from threadwell.intake.explained import Why
    from threadwell.intake.held.listing import Quarantined, quarantine
    from threadwell.intake.importing import import_messages, recut, replay
    from threadwell.intake.live import Intake
    from threadwell.intake.merging import BadMerge, Merged, merge_patients
    from threadwell.intake.people.importing import PeopleReport, import_people
    from threadwell.intake.people.sheet import BadPeople
    from threadwell.intake.previewing import Preview, Previewed, Tally, preview
    from threadwell.intake.receipts.marking import BadReceipt, MarkedRead, mark_read
    from threadwell.intake.replies.writing import BadReply, Replied, reply
    from threadwell.intake.reports.reasons import why
    from threadwell.intake.reports.sessions import SessionSummary, count_sessions, sessions
    from threadwell.intake.reports.verify import Finding, verify
    from threadwell.intake.reports.wanted import STATUSES, Wanted
    from threadwell.intake.rulebook.reading import BadRules
    from threadwell.intake.sameness import BadSameness, say_whether_same
    from threadwell.intake.seat import Seat
    from threadwell.intake.settings import (
        Settings,
        parse_duration,
        parse_options,
        parse_zone,
    )
    from threadwell.intake.settling import BadAnswer
    from threadwell.intake.splitting import Part, Split, split_by_patient
    from threadwell.intake.thread_acts.drafting import discard_draft, drafts, save_draft, send_draft
    from threadwell.intake.thread_acts.replacing import correct_message
    from threadwell.intake.thread_acts.retracting import BadRetraction, Retracted, retract
    from threadwell.intake.thread_acts.turning import (
        ThreadActed,
        add_participant,
        close_thread,
        remove_participant,
        reopen_thread,
    )
    from threadwell.intake.todos.acting import BadTodo, Taken, Todo
    from threadwell.intake.todos.listing import Waiting

__all__ = [
    "STATUSES",
    "Acted",
    "BadAct",
    "BadAnswer",
    "BadCorrection",
    "BadMerge",
    "BadPeople",
    "BadReceipt",
    "BadReply",
    "BadRetraction",
    "BadRules",
    "BadSameness",
    "BadSetting",
    "BadTodo",
    "Corrected",
    "Counts",
    "Finding",
    "Intake",
    "MarkedRead",
    "Merged",
    "OlderZoneData",
    "Outcome",
    "Part",
    "PeopleReport",
    "Preview",
    "Previewed",
    "Quarantined",
    "Replied",
    "Report",
    "Retracted",
    "Seat",
    "SessionSummary",
    "Settings",
    "Split",
    "Taken",
    "Tally",
    "ThreadActed",
    "Todo",
    "TriedHeld",
    "TriedSession",
    "Waiting",
    "Wanted",
    "Why",
    "ZoneReport",
    "add_participant",
    "answer_review",
    "close_session",
    "close_thread",
    "correct_attribution",
    "correct_message",
    "count_sessions",
    "discard_draft",
    "drafts",
    "import_messages",
    "import_people",
    "mark_read",
    "merge_patients",
    "open_session",
    "parse_duration",
    "parse_options",
    "parse_zone",
    "preview",
    "quarantine",
    "recut",
    "remove_participant",
    "reopen_session",
    "reopen_thread",
    "replay",
    "reply",
    "retract",
    "save_draft",
    "say_whether_same",
    "send_draft",
    "sessions",
    "split_by_patient",
    "verify",
    "why",
    "zone_report",
]

#: What stands in which module.
_ROOMS = {
    "acts": ("Acted", "BadAct", "close_session", "open_session", "reopen_session"),
    "answering": ("answer_review",),
    "care_zone": ("OlderZoneData", "ZoneReport", "zone_report"),
    "commits.counts": ("Counts", "Report"),
    "commits.outcome": ("Outcome", "TriedHeld", "TriedSession"),
    "correcting": ("BadCorrection", "Corrected", "correct_attribution"),
    "explained": ("Why",),
    "held.listing": ("Quarantined", "quarantine"),
    "importing": ("import_messages", "recut", "replay"),
    "live": ("Intake",),
    "merging": ("BadMerge", "Merged", "merge_patients"),
    "people.importing": ("PeopleReport", "import_people"),
    "people.sheet": ("BadPeople",),
    "previewing": ("Preview", "Previewed", "Tally", "preview"),
    "receipts.marking": ("BadReceipt", "MarkedRead", "mark_read"),
    "replies.writing": ("BadReply", "Replied", "reply"),
    "reports.reasons": ("why",),
    "reports.sessions": ("SessionSummary", "count_sessions", "sessions"),
    "reports.verify": ("Finding", "verify"),
    "reports.wanted": ("STATUSES", "Wanted"),
    "rulebook.reading": ("BadRules",),
    "sameness": ("BadSameness", "say_whether_same"),
    "seat": ("Seat",),
    "bad_setting": ("BadSetting",),
    "settings": ("Settings", "parse_duration", "parse_options", "parse_zone"),
    "settling": ("BadAnswer",),
    "splitting": ("Part", "Split", "split_by_patient"),
    "thread_acts.drafting": ("discard_draft", "drafts", "save_draft", "send_draft"),
    "thread_acts.replacing": ("correct_message",),
    "thread_acts.retracting": ("BadRetraction", "Retracted", "retract"),
    "thread_acts.turning": (
        "ThreadActed",
        "add_participant",
        "close_thread",
        "remove_participant",
        "reopen_thread",
    ),
    "todos.acting": ("BadTodo", "Taken", "Todo"),
    "todos.listing": ("Waiting",),
}
_HOMES = {name: f"{__name__}.{room}" for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    # It is looked for once: and a module of that name (``preview``) does not take its place.
    globals()[name] = found
    return found

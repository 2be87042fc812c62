"""What an import, a replay or a new cut has done, for people and for programs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from shlex import quote
from typing import TYPE_CHECKING

from threadwell.cli.output import paint, plural
from threadwell.cli.trial import outcome_as_json
from threadwell.stores.urls import shown_store

if TYPE_CHECKING:
    from threadwell.intake import Report
    from threadwell.intake.choices import Choices

_REPLAY = "Once their people are known: threadwell replay{there} --people FILE, or add a Patient"
_DECIDE = (
    "Once somebody knows who writes there: threadwell reviews{there}, threadwell answer{there}"
)
#: What to do about a held message, by its reason; ``{there}`` stands for which store it is.
HINTS = {
    "unknown-sender": _REPLAY,
    "unknown-recipient": _REPLAY,
    "no-patient": _REPLAY,
    "future-date": "Once that day has come: threadwell replay{there}",
    "shared-address": _DECIDE,
    "locked-session": "For a person to decide: threadwell reviews{there}",
    "broken": "See its bytes: threadwell quarantine ID{there}",
    "set-aside": "Nothing; to see what it is: threadwell quarantine ID{there}",
}


def print_choices(choices: Choices) -> None:
    """By what the sessions are cut, on standard error."""
    from threadwell.facade.importing import NO_ZONE

    print(f"Sessions: {cut_in_words(choices)}", file=sys.stderr)
    if not choices.zone:
        note = f"{NO_ZONE}. To have those of the practice: --zone America/New_York"
        print(f"{paint('Note:', 'yellow', sys.stderr)} {note}", file=sys.stderr)


def cut_in_words(choices: Choices) -> str:
    """By what sessions are cut: ``inactivity-gap, gap 12h; time zone: America/New_York``."""
    parts = [choices.policy]
    if choices.is_cut_by("gap"):
        parts.append(f"gap {choices.gap}")
    if choices.scope == "patient":
        parts.append("all threads of a patient together")
    return f"{', '.join(parts)}; time zone: {choices.zone or 'UTC'}"


def print_report(report: Report, *, store: str, project: str = "", dry_run: bool = False) -> None:
    """The counts of an import, and where the quarantined messages are to be seen."""
    counts = report.counts
    print(
        f"{plural(counts.read, 'message')} read = {counts.new:,} new + {counts.known:,} known"
        f" + {counts.quarantined:,} quarantined"
    )
    if not counts.read:
        print("No message was found there; `threadwell import --help` says what is read.")
    print_shared(report)
    if dry_run:
        return
    print(made(report))
    where = place(store, project)
    if counts.quarantined:
        print(paint("Quarantined:", "yellow"))
        print_reasons(report.reasons)
        print(f"See each, and why: threadwell quarantine {where}")
    if report.reviews:
        print(f"To be answered: threadwell reviews {where}")


def print_reasons(reasons: Mapping[str, int]) -> None:
    """Why messages wait, what most of them wait for first; equal numbers stand by their words."""
    from threadwell.encounters import codes
    from threadwell.inbox.names import concept_text

    told = [(number, concept_text(codes.reason(reason))) for reason, number in reasons.items()]
    for number, text in sorted(told, key=lambda one: (-one[0], one[1])):
        print(f"{number:>6,}  {text}")


def place(store: str, project: str = "") -> str:
    """The options of a further command that is to look at the same record."""
    named = f" --project {quote(project)}" if project else ""
    return f"--store {quote(shown_store(store))}{named}"


def print_shared(report: Report) -> None:
    """How many new messages have an id that is another's too, and what becomes of both."""
    if number := report.shared_ids:
        have = "has" if number == 1 else "have"
        print(
            f"{plural(number, 'message')} {have} an id that another message had before, with other "
            "words, people or time: both are kept (docs/importing.md, Copies)"
        )


def made(report: Report) -> str:
    """What was done beside the counts, in a line."""
    parts = [plural(report.sessions, "new session")]
    if report.back:
        parts.append(f"{plural(report.back, 'session')} back that had been superseded")
    if report.replayed:
        parts.append(f"{plural(report.replayed, 'message')} placed that had been quarantined")
    if report.completed:
        parts.append(f"{plural(report.completed, 'message')} completed by a fuller copy")
    if report.retimed:
        parts.append(f"{plural(report.retimed, 'time')} put right")
    if report.reworded:
        parts.append(f"{plural(report.reworded, 'wording')} replaced by edits")
    if report.answers:
        parts.append(f"{plural(report.answers, 'answer')} taken")
    if report.corrected:
        parts.append(f"{plural(report.corrected, 'message')} corrected by people")
    if report.superseded:
        parts.append(f"{plural(report.superseded, 'resource')} superseded")
    if report.reviews:
        parts.append(f"{plural(report.reviews, 'question')} for a person to answer")
    return ", ".join(parts)


def as_json(report: Report, **more: object) -> dict[str, object]:
    """A report for programs."""
    counts = report.counts
    return {
        "read": counts.read,
        "new": counts.new,
        "known": counts.known,
        "quarantined": counts.quarantined,
        "replayed": report.replayed,
        "completed": report.completed,
        "retimed": report.retimed,
        "reworded": report.reworded,
        "sharedIds": report.shared_ids,
        "sessions": report.sessions,
        "back": report.back,
        "superseded": report.superseded,
        "reviews": report.reviews,
        "answers": report.answers,
        "corrected": report.corrected,
        "reasons": dict(sorted(report.reasons.items())),
        **({} if report.outcome is None else {"outcome": outcome_as_json(report.outcome)}),
        **more,
    }


def hints(reasons: Iterable[str], there: str) -> list[str]:
    """What to do about held messages, the most frequent first: ``9 × …``.

    ``there`` are the options of a command that looks at the same record.
    """
    counted = Counter(dict.fromkeys(HINTS.values(), 0))
    counted.update(HINTS[reason] for reason in reasons)
    told = ((hint.format(there=there), number) for hint, number in counted.most_common())
    return [f"{number:>6,}  {hint}" for hint, number in told if number]

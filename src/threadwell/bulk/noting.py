"""What came of the lines of an import: looked at, counted, and told of."""

from __future__ import annotations

from typing import TypeAlias
from urllib.parse import urlsplit

from threadwell.bulk.deciding import Decided
from threadwell.bulk.files import Lines
from threadwell.bulk.import_job import AskedImport, ImportJob
from threadwell.bulk.job import Part
from threadwell.bulk.lines import Bad, Fit, Line, read_line
from threadwell.fhir.json import encode
from threadwell.fhir.outcome import Issue, outcome

#: Lines that may wait for what they refer to.
_MOST_LATER = 10_000

#: A line, and what it is; ``None`` where nobody asks for it.
Found: TypeAlias = tuple[Line, Fit | Bad | None]


def noted(job: ImportJob, asked: AskedImport, decided: Decided, part: list[Found]) -> Lines:
    """Count what was decided; what is told of it."""
    progress, lines = job.progress, Lines()
    at, count = progress.at, progress.counts[progress.at]
    looked = {(at, line.number) for line, one in part if one is not None}
    later = {*progress.later} - looked
    if progress.again < 0 or len(later) + len(decided.later) > _MOST_LATER:
        decided.bad += decided.later
    else:
        later |= {(at, bad.number) for bad in decided.later}
    progress.later = sorted(later)
    if not progress.again:
        count.lines += len(part)
    count.new += decided.new
    count.changed += decided.changed
    count.same += decided.same
    count.bad += len(decided.bad)
    host = urlsplit(asked.inputs[at].url).hostname or ""
    for bad in sorted(decided.bad, key=lambda one: one.number):
        tell(lines, f"file {at + 1} ({host}), line {bad.number}: {bad.reason}", "processing")
    return lines


def tell(lines: Lines, text: str, code: str) -> None:
    """Have a sentence be told to whoever asked, as an issue of that code (R4 OperationOutcome)."""
    lines.add(Part.ERROR, "OperationOutcome", encode(outcome([Issue(code, text)])))


def read_as(line: Line, type_: str, judged: bool) -> Fit | Bad:
    """Read a line of a file that is said to have only resources of that type."""
    one = read_line(line, trusted=False, judged=judged)
    if isinstance(one, Fit) and one.type != type_:
        return Bad(line.number, line.text, f"it is no {type_}, as its input says")
    return one


def once_each(found: list[Found]) -> list[Found]:
    """The first of them, up to where a resource comes that has come before."""
    seen: set[tuple[str, str]] = set()
    for place, (_, one) in enumerate(found):
        if isinstance(one, Fit):
            if (one.type, one.id) in seen:
                return found[:place]
            seen.add((one.type, one.id))
    return found[:]

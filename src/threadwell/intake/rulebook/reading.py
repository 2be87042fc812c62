"""A file of rules is read: TOML, of which every mistake is told with its line and field. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from threadwell.encounters.times import microseconds
from threadwell.encounters.todo import FRONT_DESK, Pool
from threadwell.intake.durations import length_of
from threadwell.intake.hours import OpeningHours
from threadwell.intake.rulebook.ruleset import (
    HOURS,
    PATIENTS,
    PRIORITIES,
    Actions,
    Conditions,
    Event,
    Rule,
    RuleSet,
)

_AT_LINE = re.compile(r"at line (\d+)")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_TAG = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")
_SENDER = re.compile(r"(?:Practitioner|PractitionerRole|Organization)/[A-Za-z0-9\-.]{1,64}")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TABLE = re.compile(r"\s*\[(\[?)\s*([\w.-]+)\s*\]?\]")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\")(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"))*)\s*=")

_CONDITIONS = ("channel", "words", "hours", "patient", "tag", "claimed")
_WHEN = ("event", "after", *_CONDITIONS)
_THEN = ("pool", "priority", "reply", "as", "tag", "remind", "close", "note")
_ANSWERS = ("since", "within", "pool", "away")
_RULE = ("name", "when", "unless", "then")


class BadRules(ValueError):
    """The file makes no sense somewhere: ``problems`` tells where and why, each by itself."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def read_rules(text: str, zone: ZoneInfo, *, began: int = 0) -> RuleSet:
    """The rules of a file; ``zone`` is the care time zone. Raises ``BadRules`` with all
    problems."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = _AT_LINE.search(str(error))
        line = int(where[1]) if where else len(text.splitlines())
        raise BadRules([f"line {line}: no TOML: {error}"]) from None
    reading = _Reading(_lines(text), zone)
    found = reading.whole(given, began)
    if reading.problems:
        raise BadRules(reading.problems)
    return found


def line_of(text: str, path: str) -> int:
    """The line on which a field of a file stands, or what it is in; 0 where nothing is."""
    lines = _lines(text)
    return next((lines[one] for one in _up(path) if one in lines), 0)


@dataclass(slots=True)
class _Reading:
    """What was found wrong so far. A *path* is how a field is called: ``rule[2].when.after``."""

    lines: Mapping[str, int]
    zone: ZoneInfo
    problems: list[str] = field(default_factory=list)

    def whole(self, given: Mapping[str, Any], began: int) -> RuleSet:
        self.known(given, "", ("answers", "hours", "rule"))
        answers = self.table(given, "answers")
        self.known(answers, "answers", _ANSWERS)
        hours = self.hours(self.table(given, "hours")) if "hours" in given else None
        rules = given.get("rule", [])
        if not isinstance(rules, list) or not all(isinstance(one, dict) for one in rules):
            self.wrong("rule", "is written [[rule]], once for each")
            rules = []
        made = [self.rule(one, f"rule[{at + 1}]") for at, one in enumerate(rules)]
        names = [one.name for one in made if one.name]
        for name in sorted({one for one in names if names.count(one) > 1}):
            at = [one.name for one in made].index(name, names.index(name) + 1)
            self.wrong(f"rule[{at + 1}].name", f"is {name!r}, as that of another rule is")
        return RuleSet(
            tuple(made),
            hours,
            self.since(answers),
            self.duration(answers, "answers.within") or RuleSet().within_us,
            self.pool(answers, "answers.pool") or FRONT_DESK,
            away=self.truth(answers, "answers.away") or False,
            began=began,
        )

    def rule(self, given: Mapping[str, Any], path: str) -> Rule:
        self.known(given, path, _RULE)
        name = self.word(given, f"{path}.name", _NAME, "lower-case letters, digits and hyphens")
        if "name" not in given:
            self.wrong(f"{path}.name", "is missing: runs are told by it")
        when = self.table(given, f"{path}.when")
        unless = self.table(given, f"{path}.unless")
        then = self.table(given, f"{path}.then")
        self.known(when, f"{path}.when", _WHEN)
        self.known(unless, f"{path}.unless", _CONDITIONS)
        self.known(then, f"{path}.then", _THEN)
        event = self.one_of(when, f"{path}.when.event", tuple(Event))
        if "event" not in when:
            self.wrong(f"{path}.when.event", f"is missing: one of {', '.join(Event)}")
        after = self.duration(when, f"{path}.when.after")
        actions = self.actions(then, f"{path}.then")
        if event == Event.UNANSWERED and not after:
            self.wrong(f"{path}.when.after", "is missing: for how long, such as 4h")
        if event and event != Event.UNANSWERED and after:
            self.wrong(f"{path}.when.after", "is for the event unanswered alone")
        if event == Event.CLOSED and (actions.close or actions.reply):
            self.wrong(f"{path}.then", "neither closes nor replies once a session is closed")
        if actions.is_empty:
            self.wrong(f"{path}.then", f"is missing: some of {', '.join(_THEN)}")
        return Rule(
            name,
            Event(event) if event else Event.MESSAGE,
            self.conditions(when, f"{path}.when"),
            self.conditions(unless, f"{path}.unless"),
            actions,
            after,
        )

    def conditions(self, given: Mapping[str, Any], path: str) -> Conditions:
        return Conditions(
            self.words(given, f"{path}.channel"),
            self.words(given, f"{path}.words"),
            self.one_of(given, f"{path}.hours", HOURS),
            self.one_of(given, f"{path}.patient", PATIENTS),
            self.words(given, f"{path}.tag"),
            self.truth(given, f"{path}.claimed"),
        )

    def actions(self, given: Mapping[str, Any], path: str) -> Actions:
        tags = self.words(given, f"{path}.tag")
        for tag in tags:
            if not _TAG.fullmatch(tag):
                self.wrong(f"{path}.tag", f"{tag!r} is no code of letters, digits, . and -")
        sender = self.word(given, f"{path}.as", _SENDER, "Practitioner/… or Organization/…")
        if sender and "reply" not in given:
            self.wrong(f"{path}.as", "is who replies, and there is no reply")
        return Actions(
            self.pool(given, f"{path}.pool"),
            self.one_of(given, f"{path}.priority", PRIORITIES),
            self.word(given, f"{path}.reply", _NAME, "the name of a saved reply"),
            sender,
            tags,
            self.truth(given, f"{path}.remind") or False,
            self.truth(given, f"{path}.close") or False,
            self.text(given, f"{path}.note"),
        )

    def hours(self, given: Mapping[str, Any]) -> OpeningHours:
        days: dict[int, tuple[tuple[int, int], ...]] = {}
        closed: set[date] = set()
        for key, value in given.items():
            path = f"hours.{key}"
            if key == "closed":
                if isinstance(value, list) and all(type(one) is date for one in value):
                    closed = set(value)
                else:
                    self.wrong(path, "is a list of days, such as [2026-12-25]")
                continue
            first, _, last = key.partition("-")
            if first not in _DAYS or (last and last not in _DAYS):
                self.wrong(path, f"is no day: {', '.join(_DAYS)}, mon-fri, or closed")
                continue
            spans = tuple(self.spans(value, path))
            start, end = _DAYS.index(first), _DAYS.index(last or first)
            for at in range(start, end + 1 if end >= start else end + 8):
                days[at % 7] = spans
        if not any(days.values()) and not self.problems:
            self.wrong("hours", "the practice is never open")
        return OpeningHours(days, self.zone, frozenset(closed))

    def spans(self, value: Any, path: str) -> Iterator[tuple[int, int]]:
        last = 0
        for text in value.split(",") if isinstance(value, str) and value.strip() else []:
            match = _SPAN.fullmatch(text.strip())
            start, end = (
                (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4]))
                if match
                else (0, 0)
            )
            if not last <= start < end <= 1440:
                self.wrong(path, f"{text.strip()!r} is no span of a day such as 09:00-17:00")
                return
            last = end
            yield start, end
        if not isinstance(value, str):
            self.wrong(path, "is text such as 09:00-12:00, 13:00-17:00; empty for closed")

    def since(self, answers: Mapping[str, Any]) -> int | None:
        value = answers.get("since", 0)
        if value == "never":
            return None
        if isinstance(value, datetime):
            moment = value if value.tzinfo else value.replace(tzinfo=self.zone)
            return microseconds(moment.astimezone(UTC))
        if isinstance(value, date):
            start = datetime(value.year, value.month, value.day, tzinfo=self.zone)
            return microseconds(start.astimezone(UTC))
        if value:
            self.wrong("answers.since", 'is a day such as 2026-11-28, a time, or "never"')
        return 0

    def pool(self, given: Mapping[str, Any], path: str) -> Pool | None:
        text = self.text(given, path)
        if not text:
            return None
        system, *rest = text.split("|", 2)
        if not rest or not rest[0].strip():
            self.wrong(path, f"{text!r} is not written SYSTEM|CODE or SYSTEM|CODE|DISPLAY")
            return None
        return Pool(system, rest[0], rest[1] if rest[1:] else "")

    def duration(self, given: Mapping[str, Any], path: str) -> int:
        text = self.text(given, path)
        if not text:
            return 0
        length = length_of(text)
        if length is None:
            self.wrong(path, f"{text!r} is no length of time such as 4h, 90m or 1d12h")
            return 0
        return int(length.total_seconds() * 1_000_000)

    def one_of(self, given: Mapping[str, Any], path: str, allowed: tuple[str, ...]) -> str:
        text = self.text(given, path)
        if text and text not in allowed:
            self.wrong(path, f"{text!r} is none of {', '.join(allowed)}")
            return ""
        return text

    def word(self, given: Mapping[str, Any], path: str, shape: re.Pattern[str], is_: str) -> str:
        text = self.text(given, path)
        if text and not shape.fullmatch(text):
            self.wrong(path, f"{text!r} is not {is_}")
            return ""
        return text

    def words(self, given: Mapping[str, Any], path: str) -> tuple[str, ...]:
        value = _of(given, path)
        several = [value] if isinstance(value, str) else value
        if value is None:
            return ()
        if not isinstance(several, list) or not all(
            isinstance(one, str) and one.strip() for one in several
        ):
            self.wrong(path, "is text, or a list of texts")
            return ()
        return tuple(several)

    def text(self, given: Mapping[str, Any], path: str) -> str:
        return str(self._value(given, path, str, "is text", ""))

    def truth(self, given: Mapping[str, Any], path: str) -> bool | None:
        found: bool | None = self._value(given, path, bool, "is true or false", None)
        return found

    def table(self, given: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._value(given, path, dict, "is a table", {})
        return found

    def _value(
        self, given: Mapping[str, Any], path: str, type_: Callable[..., Any], is_: str, none: Any
    ) -> Any:
        value = _of(given, path)
        if value is None:
            return none
        if type(value) is not type_ or value == "":
            self.wrong(path, is_)
            return none
        return value

    def known(self, given: Mapping[str, Any], path: str, names: tuple[str, ...]) -> None:
        for name in given:
            if name not in names:
                whole = f"{path}.{name}" if path else name
                self.wrong(whole, f"is not known here, only {', '.join(names)}")

    def wrong(self, path: str, why: str) -> None:
        line = next((self.lines[one] for one in _up(path) if one in self.lines), 0)
        self.problems.append(f"line {line}: {path} {why}" if line else f"{path} {why}")


def _of(given: Mapping[str, Any], path: str) -> Any:
    return given.get(path.rpartition(".")[2])


def _up(path: str) -> Iterator[str]:
    """The path, and those of what it is in."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def _lines(text: str) -> dict[str, int]:
    """The line on which each field stands, by its path."""
    out: dict[str, int] = {}
    counts: dict[str, int] = {}
    table, quoted = "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if quoted:
            quoted = "" if quoted in line else quoted
            continue
        if match := _TABLE.match(line):
            name = match[2]
            if match[1]:
                counts[name] = counts.get(name, 0) + 1
                table = f"{name}[{counts[name]}]"
            else:
                head, dot, rest = name.partition(".")
                at = f"{head}[{counts[head]}]" if head in counts else head
                table = f"{at}{dot}{rest}"
            out[table] = number
        elif match := _KEY.match(line):
            parts = [part.strip().strip('"') for part in match[1].split(".")]
            for at in range(len(parts)):
                path = ".".join([*filter(None, [table]), *parts[: at + 1]])
                out.setdefault(path, number)
            rest = line[match.end() :]
            for mark in ('"""', "'''"):
                if rest.count(mark) == 1:
                    quoted = mark
    return out

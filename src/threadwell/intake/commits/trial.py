"""What a dry run would have written, as far as somebody wants to see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from threadwell.encounters.corrected import is_correction
from threadwell.encounters.merge import is_live
from threadwell.encounters.pattern import is_session
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.intake.explained import ToldAt, told_by
from threadwell.stores.contract import Stored, Write

_NAMED = ("Patient", "Group")


@dataclass(slots=True)
class Trial:
    """The last version that each resource would have, and whether it is in the store already.

    ``sessions`` are session encounters, ``parts`` the medical encounters of all of them,
    ``headers`` thread headers and ``named`` Patients and Groups, all by id. ``lines`` tell of each
    message, by id, its header, and ``lines_before`` the one that it has in the store; ``told``
    is what it tells of whom it is about, and ``records`` are those of corrections, by reference.
    ``before`` are the session encounters, by id, that are in the store, as they are there.
    ``held`` are the Tasks of messages that would be held, with the content, and ``asked`` tells of
    sessions, by id, whether a question about them would be open.
    """

    sessions: dict[str, Resource] = field(default_factory=dict)
    before: dict[str, Resource] = field(default_factory=dict)
    parts: dict[str, Resource] = field(default_factory=dict)
    headers: dict[str, Resource] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    lines_before: dict[str, str] = field(default_factory=dict)
    told: dict[str, ToldAt] = field(default_factory=dict)
    records: dict[str, Resource] = field(default_factory=dict)
    named: dict[str, Resource] = field(default_factory=dict)
    held: list[tuple[Resource, bytes]] = field(default_factory=list)
    asked: dict[str, bool] = field(default_factory=dict)

    def add(self, writes: Iterable[Write]) -> None:
        """Take in the writes of a batch; those of a later batch count more."""
        contents = {}
        tasks: list[Resource] = []
        for write in writes:
            body = write.resource
            if body is None:
                continue
            match write.type:
                case "Encounter":
                    self._encounter(write.id, body, write.before)
                case "Communication" if body.get("partOf"):
                    if write.id not in self.lines and write.before is not None:
                        self.lines_before[write.id] = _header_of(decode(write.before.body))
                    self.lines[write.id] = _header_of(body)
                    self.told[write.id] = told_by(body)
                case "Communication":
                    self.headers[write.id] = body
                case "Provenance" if is_correction(body):
                    self.records[f"Provenance/{write.id}"] = body
                case "Task":
                    tasks.append(body)
                case "Binary":
                    contents[write.id] = write.content or b""
                case _ if write.type in _NAMED:
                    self.named[write.id] = body
        for task in tasks:
            self._task(task, contents)

    def _encounter(self, id_: str, body: Resource, before: Stored | None) -> None:
        if not is_session(body):
            self.parts[id_] = body
            return
        if id_ not in self.sessions and before is not None and not before.deleted:
            self.before[id_] = decode(before.body)
        self.sessions[id_] = body

    def _task(self, task: Resource, contents: dict[str, bytes]) -> None:
        codings = (task.get("code") or {}).get("coding") or ()
        if any(coding.get("code") == "quarantine" for coding in codings):
            inputs = (one.get("valueReference") or {} for one in task.get("input") or ())
            names = (str(one.get("reference", "")).removeprefix("Binary/") for one in inputs)
            content = next((contents[name] for name in names if name in contents), b"")
            if is_live(task):
                self.held.append((task, content))
        elif "focus" in task:
            focus = str((task.get("focus") or {}).get("reference", ""))
            self.asked[focus.removeprefix("Encounter/")] = is_live(task)


def _header_of(child: Resource) -> str:
    """Where a message counts: nowhere, if it was taken back."""
    if not is_live(child):
        return ""
    reference = str((child.get("partOf") or [{}])[0].get("reference", ""))
    return reference.removeprefix("Communication/")

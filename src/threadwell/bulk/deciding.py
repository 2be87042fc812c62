"""What is written for the lines of an import: the checks of a write over the API, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from threadwell.access.fields import told
from threadwell.access.refusing import forbidden
from threadwell.access.view import View
from threadwell.bulk.lines import Bad, Fit, Line, unfit
from threadwell.encounters.anchors import ANCHORED, Adrift, anchored
from threadwell.encounters.codes import BASE
from threadwell.encounters.drafts import is_draft
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.references import parse_absolute, split_reference
from threadwell.fhir.stamp import Clock, new_id, stamp
from threadwell.fhir.validation import validate
from threadwell.intake.billed import WHY, billed_element
from threadwell.intake.details import foreign_details
from threadwell.intake.links import circle_of
from threadwell.intake.replies.writing import AUTHORS
from threadwell.stores.contract import Key, Store, Stored, Unchanged, Write
from threadwell.stores.resting import Resting

_OURS = f"{BASE}identifier/".encode()
_UNSENT = "it would not be sent: a message to a patient is written and sent by a request of its own"


@dataclass(slots=True)
class Decided:
    """What is to be written, if what it ``rests`` on is still so.

    ``later`` are lines that refer to what is not there for the caller.
    """

    writes: list[Write] = field(default_factory=list)
    rests: tuple[Unchanged, ...] = ()
    new: int = 0
    changed: int = 0
    same: int = 0
    bad: list[Bad] = field(default_factory=list)
    later: list[Bad] = field(default_factory=list)


_Pair: TypeAlias = tuple[Fit, Write]


class Deciding:
    """Decides for one caller, whose ``view`` it is; ``bases`` are those of the FHIR API."""

    def __init__(
        self,
        store: Store,
        project: str,
        view: View,
        who: str,
        bases: frozenset[str],
        clock: Clock,
    ) -> None:
        self._store = store
        self._project = project
        self._view = view
        self._who = who
        self._bases = bases
        self._clock = clock

    async def decide(self, fits: Sequence[Fit]) -> Decided:
        """What is to be written for resources of which no two are the same.

        Raises ``Conflict`` where others write meanwhile.
        """
        out = Decided()
        rested = Resting(self._store), Resting(self._view)
        keys = [Key(fit.type, fit.id) for fit in fits]
        there = await self._store.read_many(self._project, keys)
        alive = [key for key, one in there.items() if not one.deleted]
        seen = await self._view.read_many(self._project, alive)
        pairs: dict[Key, _Pair] = {}
        for key, fit in zip(keys, fits, strict=True):
            before = there.get(key)
            try:
                write = await self._write(fit, before, rested, is_seen=key in seen)
            except FhirError as error:
                out.bad.append(_told(fit.line, error))
            except Adrift as adrift:
                out.bad.append(Bad(fit.line.number, fit.line.text, f"{adrift}"))
            except _Refused as reason:
                out.bad.append(Bad(fit.line.number, fit.line.text, str(reason)))
            else:
                if write is None:
                    out.same += 1
                else:
                    pairs[key] = fit, write
        written, refused = await self._view.sort_out(self._project, [w for _, w in pairs.values()])
        out.writes = written
        own = {Key(write.type, write.id) for write in written}
        out.rests = tuple(one for resting in rested for one in resting.rests(own))
        out.new = sum(write.before is None or write.before.deleted for write in written)
        out.changed = len(written) - out.new
        for write, why in refused:
            line = pairs[Key(write.type, write.id)][0].line
            waits = any(issue.code == "not-found" for issue in why.issues)
            (out.later if waits else out.bad).append(_told(line, why))
        return out

    async def _write(
        self, fit: Fit, before: Stored | None, rested: tuple[Resting, Resting], *, is_seen: bool
    ) -> Write | None:
        """What is to be written for one; ``None`` where it is there already."""
        resource = fit.resource
        current = None if before is None or before.deleted else before
        hidden = frozenset[str]()
        if current is not None:
            if not is_seen:
                # It is answered as what may be seen and not changed.
                raise forbidden()
            hidden = await self._view.keep(resource, current)
        if not fit.judged and (issues := told(validate(resource), hidden)):
            raise _Refused(unfit(issues))
        if current is not None:
            if current.type in ANCHORED and (current.type == "Provenance" or _OURS in current.body):
                resource = anchored(decode(current.body), resource, named=False)
            if await self._is_same(fit, resource, current):
                return None
        if fit.type == "Communication":
            await self._refuse_unsent(resource, current)
        now = self._clock()
        now = max(now, before.updated) if before else now
        version_id = new_id(now)
        stamped, body = stamp(resource, fit.id, version_id, now)
        write = Write(
            fit.type, fit.id, version_id, now, stamped, body, before, self._who, fit.content
        )
        whole, shown = rested
        if element := await billed_element(whole, self._project, write):
            raise _Refused(f"{WHY} ({element})")
        for foreign in await foreign_details(shown, self._project, write):
            raise _Refused(foreign.why)
        return write

    async def _is_same(self, fit: Fit, resource: Resource, current: Stored) -> bool:
        stamped, body = stamp(resource, fit.id, current.version_id, current.updated)
        if body != current.body and stamped != decode(current.body):
            return False
        if fit.type != "Binary":
            return True
        content = await self._store.content(self._project, current.id, current.version_id)
        return (content or b"") == (fit.content or b"")

    async def _refuse_unsent(self, resource: Resource, current: Stored | None) -> None:
        """Raise ``_Refused`` for what looks like a reply, and would be sent to nobody."""
        sender = str((resource.get("sender") or {}).get("reference", ""))
        if len(resource.get("partOf") or ()) != 1 or not any(name in sender for name in AUTHORS):
            return
        was = None if current is None else decode(current.body)
        turns = was is not None and is_draft(was) != is_draft(resource)
        is_reply = (
            current is None
            and resource.get("status") == "in-progress"
            and "identifier" not in resource
        )
        if (turns or is_reply) and await self._is_kept(resource["partOf"][0]):
            raise _Refused(_UNSENT)

    async def _is_kept(self, to: Resource) -> bool:
        """Whether that is the header of a thread that Threadwell keeps."""
        text = str(to.get("reference", ""))
        absolute = parse_absolute(text)
        if absolute is not None and absolute.base not in self._bases:
            return False
        type_, id_ = (absolute.type, absolute.id) if absolute else split_reference(text)
        if type_ != "Communication" or not id_:
            return False
        header = await self._view.read(self._project, type_, id_)
        return header is not None and not header.deleted and bool(circle_of(decode(header.body)))


class _Refused(Exception):
    """A resource may be stored only in another way; says why."""


def _told(line: Line, error: FhirError) -> Bad:
    issue = error.issues[0] if error.issues else None
    text = "it is refused" if issue is None else issue.text
    where = f" ({issue.expression})" if issue is not None and issue.expression else ""
    return Bad(line.number, line.text, f"{text}{where}")

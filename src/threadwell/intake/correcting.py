"""A person says whom messages are about, whether or not anybody had asked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from threadwell.encounters.attribution import CHOSEN, SESSION
from threadwell.encounters.corrected import Correction
from threadwell.encounters.merge import is_live
from threadwell.fhir.json import decode
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import MissingFilter, Query, ReferenceFilter, ReferenceMatch
from threadwell.fhir.stamp import Clock, new_id, now_ms
from threadwell.intake.circles.circle import Circle
from threadwell.intake.circles.due import patients_of
from threadwell.intake.commits.batch import Batch
from threadwell.intake.commits.counts import Report
from threadwell.intake.importing import revise
from threadwell.intake.links import as_key, circle_of, target
from threadwell.intake.paging import search_all
from threadwell.intake.run import Run
from threadwell.intake.settings import Settings
from threadwell.stores.contract import Key, Store


class BadCorrection(ValueError):
    """The correction cannot be taken; the message says why, without any content."""


async def correct_attribution(
    store: Store,
    project: str,
    subject: str,
    patients: Sequence[str],
    settings: Settings,
    *,
    messages: Sequence[str] = (),
    by: str = "A person",
    clock: Clock = now_ms,
) -> Report:
    """Let messages be about those ``Patient/…``, or about nobody of whom it is known.

    ``subject`` is a session encounter (``Encounter/…``), a thread header or a message
    (``Communication/…``); ``messages`` are some of the messages of the session or header, where
    it is not all of them. It holds at once, and whatever comes later. Raises ``BadCorrection``
    where there is nothing of the kind, and ``StoreError`` if others keep writing to it.
    """
    chosen = sorted({f"Patient/{one.removeprefix('Patient/')}" for one in patients})
    await _check_patients(store, project, chosen)
    headers, only = await _meant(store, project, subject)
    wanted = {one.removeprefix("Communication/") for one in messages} or only
    header = headers[0]
    circle = circle_of(header)
    provenance = new_id(clock())

    async def make(run: Run) -> Batch:
        who = await patients_of(run.people, circle, header["id"])
        if not who:
            raise BadCorrection(f"{subject} belongs to patients who cannot be told any more")
        how = partial(_correct, subject, {one["id"] for one in headers}, wanted, chosen)
        return await run.revise(circle, who, partial(how, provenance, by))

    return await revise(store, project, settings, make, clock=clock)


def _correct(
    subject: str,
    headers: set[str],
    wanted: set[str],
    patients: Sequence[str],
    provenance: str,
    by: str,
    circle: Circle,
) -> None:
    """Put the correction on the messages; raises ``BadCorrection``."""
    if any(Key("Communication", header) in circle.locked for header in headers):
        raise BadCorrection(f"{subject} has been billed: it stays as it was billed")
    there = [
        one
        for one in circle.messages.values()
        if one.link is not None and one.link.header in headers
    ]
    meant = [one for one in there if one.child in wanted] if wanted else there
    if missing := wanted - {one.child for one in meant}:
        names = ", ".join(f"Communication/{one}" for one in sorted(missing))
        raise BadCorrection(f"{subject} has no message {names}")
    if not meant:
        raise BadCorrection(f"{subject} has no messages of an import")
    how = Correction(provenance, tuple(one.child for one in meant), by)
    circle.correct(meant, patients, how, SESSION if len(meant) == len(there) else CHOSEN)


async def _check_patients(store: Store, project: str, patients: Sequence[str]) -> None:
    keys = [as_key(one) for one in patients]
    found = await store.read_many(project, keys) if keys else {}
    for key in keys:
        if key not in found or found[key].deleted:
            raise BadCorrection(f"there is no {key.type}/{key.id}")


async def _meant(store: Store, project: str, subject: str) -> tuple[list[Resource], set[str]]:
    """The thread headers that are meant, and the one message if it is just one."""
    body = await _read(store, project, subject)
    if body["resourceType"] == "Encounter":
        if session := target(body, "partOf"):
            body = await _read(store, project, session)
        linked = ReferenceFilter("encounter", (ReferenceMatch("Encounter", body["id"], ""),))
        query = Query("Communication", (linked, MissingFilter("part-of", missing=True)))
        found = [decode(one.body) async for one in search_all(store, project, query)]
        only: set[str] = set()
    elif parents := body.get("partOf"):
        found = [await _read(store, project, str(parents[0].get("reference", "")))]
        only = {body["id"]}
    else:
        found, only = [body], set()
    headers = [one for one in found if is_live(one) and circle_of(one)]
    if not headers:
        raise BadCorrection(f"{subject} is not of an import: change its subject")
    return headers, only


async def _read(store: Store, project: str, name: str) -> Resource:
    key = as_key(name)
    if key.type not in ("Communication", "Encounter"):
        raise BadCorrection(f"{name} is neither Encounter/… nor Communication/…")
    stored = await store.read(project, *key)
    if stored is None or stored.deleted:
        raise BadCorrection(f"there is no {name}")
    body: Resource = decode(stored.body)
    return body

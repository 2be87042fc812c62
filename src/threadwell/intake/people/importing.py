"""People into a store, out of a CSV file or a FHIR Bundle; doing it again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from threadwell.fhir.json import BadJson, decode, parse
from threadwell.fhir.references import references
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.query import Query, TokenFilter
from threadwell.fhir.search.sought import TokenMatch
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.fhir.validation import validate
from threadwell.intake.commits.batch import Batch
from threadwell.intake.expunged import which_people_were, which_were
from threadwell.intake.links import as_key
from threadwell.intake.paging import search_all
from threadwell.intake.patience import Patience
from threadwell.intake.people.bundle import people_in
from threadwell.intake.people.csv_table import people_of, unreachable
from threadwell.intake.people.practice_row import row_of_practice, with_own_identifiers
from threadwell.intake.people.sheet import BadPeople, as_row, read_sheet
from threadwell.stores.contract import ChangeSet, Conflict, Key, Store, Stored, StoreError

_AT_ONCE = 200
_BUSY = "others keep writing to the same people; import again when they are done"


@dataclass(frozen=True, slots=True)
class PeopleReport:
    """How many resources of people were made, changed, or there already.

    ``warnings`` are what somebody should know of the source, without anything that it says of
    people: columns that were passed over, numbers that no message can come from.
    """

    new: int
    changed: int
    known: int
    warnings: tuple[str, ...] = ()


async def import_people(
    store: Store,
    project: str,
    source: Path | Iterable[Mapping[str, object]],
    *,
    country: str = "US",
    clock: Clock = now_ms,
) -> PeopleReport:
    """Take in the people of a file, or of rows with the columns of ``people_csv``.

    All of them or none: raises ``BadPeople`` with every mistake, and ``OSError`` for a file that
    cannot be read. Elements that the source says nothing of are kept as they are stored. Where
    others write the same people meanwhile, it looks again; ``StoreError`` if they do not stop.
    """
    if isinstance(source, Path):
        people, warnings = _read(source, country)
    else:
        rows = list(enumerate(map(as_row, source), start=1))
        people, warnings = people_of(rows, country), tuple(unreachable(rows, country))
    problems = [
        f"{key.type}: {issue.text} ({issue.expression})"
        for key, resource in people.items()
        for issue in validate(resource)
    ]
    if problems:
        raise BadPeople(problems)
    patience = Patience()
    while await patience.turn():
        try:
            done = await _write(store, project, people, country, clock)
            return replace(done, warnings=(*warnings, *done.warnings))
        except Conflict:
            continue
    raise StoreError(_BUSY)


async def _write(
    store: Store, project: str, people: dict[Key, Resource], country: str, clock: Clock
) -> PeopleReport:
    people = await _as_known(store, project, people, country)
    there = await store.read_many(project, list(people))
    gone = await which_people_were(
        store, {key: one for key, one in people.items() if key not in there}
    )
    gone |= await _of_them(store, project, people, gone)
    people = {key: resource for key, resource in people.items() if key not in gone}
    await _check_patients(store, project, people)
    batch = Batch(updated=clock())
    changed = 0
    for key, resource in people.items():
        before = there.get(key)
        if before is None:
            batch.write(key, resource)
        elif (wanted := _over(before, resource)) is not None:
            batch.write(key, wanted, before)
            changed += 1
    if batch.writes:
        await store.commit(project, ChangeSet(tuple(batch.writes.values())))
    new = len(batch.writes) - changed
    left_out = (f"{len(gone)} of the people were expunged, and are left out",) if gone else ()
    return PeopleReport(new, changed, len(people) - new - changed, left_out)


def _read(path: Path, country: str) -> tuple[dict[Key, Resource], tuple[str, ...]]:
    content = path.read_bytes()
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        try:
            return people_in(parse(content.removeprefix(b"\xef\xbb\xbf")), country), ()
        except BadJson as error:
            raise BadPeople([f"{path.name} is no JSON: {error}"]) from None
    rows, warnings = read_sheet(content)
    try:
        people = people_of(rows, country)
    except BadPeople as error:
        # A column that nobody knows may be why another one is empty.
        raise BadPeople([*error.problems, *warnings]) from None
    every = (*warnings, *unreachable(rows, country))
    return people, tuple(f"{path.name}: {warning}" for warning in every)


async def _as_known(
    store: Store, project: str, people: dict[Key, Resource], country: str
) -> dict[Key, Resource]:
    """The people under the ids that the store has them under, going by their identifiers."""
    by_token = {
        (key.type, identifier["system"], identifier["value"]): key
        for key, resource in people.items()
        for identifier in resource["identifier"]
        if identifier.get("system") and identifier.get("value")
    }
    moved: dict[Key, Key] = {}
    for type_ in sorted({key.type for key in people}):
        tokens = [token for token in by_token if token[0] == type_]
        for at in range(0, len(tokens), _AT_ONCE):
            wanted = tuple(TokenMatch(*token[1:]) for token in tokens[at : at + _AT_ONCE])
            query = Query(type_, (TokenFilter("identifier", wanted),))
            async for stored in search_all(store, project, query):
                for identifier in decode(stored.body)["identifier"]:
                    token = (type_, identifier.get("system"), identifier.get("value"))
                    if token in by_token:
                        moved[by_token[token]] = Key(type_, stored.id)
    moved |= await row_of_practice(store, project, people, moved, country)
    names = {f"{old.type}/{old.id}": f"{new.type}/{new.id}" for old, new in moved.items()}
    for resource in people.values():
        for _, reference in references(resource):
            reference["reference"] = names.get(reference["reference"], reference["reference"])
    return {moved.get(key, key): resource for key, resource in people.items()}


def _over(before: Stored, resource: Resource) -> Resource | None:
    """The stored resource with what the source says; ``None`` if that changes nothing."""
    stored = {} if before.deleted else decode(before.body)
    wanted = with_own_identifiers({**stored, **resource}, stored)
    if isinstance(resource.get("name"), list):
        # Names of a use that the source says nothing of are what it leaves as they are.
        said = {name.get("use") for name in resource["name"]}
        others = [name for name in stored.get("name") or () if name.get("use")]
        wanted["name"] = [*resource["name"], *(n for n in others if n["use"] not in said)]
    return wanted if wanted != stored else None


async def _of_them(
    store: Store, project: str, people: dict[Key, Resource], gone: set[Key]
) -> set[Key]:
    """The related persons of patients who were expunged: they are left out, or as they are."""
    whose = {
        key: as_key(resource["patient"].get("reference", ""))
        for key, resource in people.items()
        if key.type == "RelatedPerson"
    }
    elsewhere = {patient for patient in whose.values() if patient not in people}
    there = await store.read_many(project, list(elsewhere)) if elsewhere else {}
    were = gone | await which_were(store, elsewhere - there.keys())
    return {key for key, patient in whose.items() if patient in were}


async def _check_patients(store: Store, project: str, people: dict[Key, Resource]) -> None:
    """A related person's patient has to be among the people, or in the store."""
    wanted: dict[Key, list[str]] = {}
    for key, resource in people.items():
        if key.type == "RelatedPerson":
            type_, _, id_ = resource["patient"].get("reference", "").partition("/")
            named = (resource.get("identifier") or [{}])[0].get("value", key.id)
            wanted.setdefault(Key(type_, id_), []).append(named)
    missing = [key for key in wanted if key not in people]
    found = await store.read_many(project, missing) if missing else {}
    problems = [
        f"related person {name}: there is no such patient"
        for key in missing
        if key not in found or found[key].deleted
        for name in wanted[key]
    ]
    if problems:
        raise BadPeople(problems)

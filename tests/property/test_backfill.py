"""A backfill makes what an import makes, byte for byte but ``meta``, however it is cut up."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.property.costly import COSTLY
from tests.property.test_intake import (
    NOW,
    SETTINGS,
    SHORTLY_AFTER,
    STRANGER,
    a_message,
    with_people,
)
from threadwell.backfill.basis import Basis, Unit
from threadwell.backfill.folder import Folder, Plan
from threadwell.backfill.local import fill
from threadwell.fhir.content import with_data
from threadwell.fhir.json import decode, encode
from threadwell.intake import import_messages
from threadwell.intake.seat import Seat
from threadwell.messages import Broken
from threadwell.stores.contract import DEFAULT_PROJECT, START

ITEMS = st.lists(
    st.one_of(
        *(a_message() for _ in range(3)),
        # Both of them may have the number of other messages.
        st.builds(lambda one: replace(one, ours=(STRANGER,)), a_message()),
        st.builds(Broken, *map(st.just, ("email", "a", "b")), st.binary(max_size=2)),
    ),
    min_size=1,
    max_size=12,
)


def without_meta(body: bytes) -> bytes:
    resource = decode(body)
    del resource["meta"]
    return encode(resource)


async def imported(items, how, now) -> tuple[dict[str, bytes], object]:
    store = await with_people()
    report = await import_messages(Seat(store, DEFAULT_PROJECT, how, clock=lambda: now), items)
    found = {}
    for version in await store.versions(DEFAULT_PROJECT, START, 10_000):
        body = with_data(version.stored.body, version.content)
        found[f"{version.stored.type}/{version.stored.id}"] = without_meta(body)
    return found, report


def filled(units, how, now, partitions, folder, size) -> tuple[dict[str, bytes], object]:
    people = asyncio.run(with_people())

    async def settings(_store, _project):
        return how

    basis = Basis(
        DEFAULT_PROJECT,
        lambda: nullcontext(people),
        settings,
        lambda unit, _settings: iter(units[int(unit.path)]),
        lambda: now,
    )
    into = Folder(folder)
    plan = Plan(
        "these", "so", [Unit(str(number), size=size) for number in range(len(units))], partitions
    )
    with into.beginning():
        report = fill(basis, into, plan, 1).report
    found: dict[str, bytes] = {}
    for file in folder.glob("*.ndjson"):
        for line in file.read_bytes().splitlines():
            resource = decode(line)
            name = f"{resource['resourceType']}/{resource['id']}"
            assert name not in found
            found[name] = without_meta(line)
    return found, report


@COSTLY
@given(
    ITEMS,
    SETTINGS,
    st.sampled_from([NOW, SHORTLY_AFTER]),
    st.integers(1, 4),
    st.integers(1, 3),
    # Units that one task reads, or each another one.
    st.sampled_from([1, 2**30]),
)
def test_a_backfill_makes_what_an_import_makes(items, how, now, partitions, units, size):
    how = replace(how, batch=100)
    parts = [items[number::units] for number in range(units)]
    with tempfile.TemporaryDirectory() as folder:
        made, told = filled(parts, how, now, partitions, Path(folder), size)
    order = [one for part in parts for one in part]
    there, report = asyncio.run(imported(order, how, now))
    assert made == there
    assert (told.counts, told.reasons, told.sessions) == (
        report.counts,
        report.reasons,
        report.sessions,
    )

"""A table that several processes read is read in its order: which copy came first counts."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from tests.unit.backfill.test_filling import (
    PRACTICE,
    imported,
    job,
    lines,
    source,
    write,
)
from threadwell.backfill.local import fill
from threadwell.facade import backfilling
from threadwell.facade.backfilling import begin_backfill

__all__ = ["source"]

ANA, BEN = "+12075550111", "+12075550112"


def rows(seed: int) -> list[tuple[str, ...]]:
    """Copies with one id and other words, times or people, in any order."""
    random = Random(seed)
    out = []
    for number in range(60):
        ends = (random.choice((ANA, BEN)), PRACTICE)
        sent = f"2024-05-{random.randrange(10, 14)}T{random.randrange(10, 20)}:04:00-04:00"
        text = f"words {random.randrange(9)}"
        id_ = random.choice(("", f"i{number % 12}"))
        out.append((id_, sent, *ends[:: random.choice((1, -1))], text))
    return out


@pytest.mark.parametrize("seed", range(6))
def test_rows_of_one_id_count_in_the_order_of_their_table(source, seed, monkeypatch):
    monkeypatch.setattr(backfilling, "_STRIPE", 64)
    write(source / "one.csv", rows(seed))
    (source / "two.csv").unlink()
    basis, folder, plan, _ = asyncio.run(begin_backfill(job(source, workers=3)))
    assert len(plan.units) > 3
    assert all(one.span for one in plan.units)
    fill(basis, folder, plan, 1)
    assert lines(source.parent / "made") == imported(source)

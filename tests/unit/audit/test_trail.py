"""What is recorded is chained once, found again, and nothing of it can be changed unseen."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from threadwell.audit import finding
from threadwell.audit.chain import (
    BLOCK,
    HEAD,
    START,
    Block,
    Head,
    block_name,
    read_head,
    write_head,
)
from threadwell.audit.events import events
from threadwell.audit.finding import Wanted, find, find_line
from threadwell.audit.index import TERM, block_of
from threadwell.audit.keeping import keep_for, prune
from threadwell.audit.record import Line, Record, Touched, Who
from threadwell.audit.trail import Trail
from threadwell.audit.verifying import parse_anchor, verify
from threadwell.fhir.stamp import stamp
from threadwell.stores.contract import ChangeSet, Write

if TYPE_CHECKING:
    from tests.unit.audit.conftest import Desk

NURSE = Who(who="Practitioner/9", client="c1", way="api", address="192.0.2.7")


def _write(type_: str, id_: str, version: str = "1", **members: Any) -> Write:
    stamped, body = stamp({"resourceType": type_, **members}, id_, version, 0)
    return Write(type_, id_, version, 0, stamped, body)


def _seen(desk: Desk, *touched: Touched, act: str = "read", **more: Any) -> None:
    by = more.pop("by", NURSE)
    record = Record(at=desk.clock(), act=act, by=by, touched=touched, **more)
    desk.trail.note(desk.project, record)


def _found(desk: Desk, **wanted: Any) -> list[Line]:
    async def all_() -> list[Line]:
        return [line async for line in find(desk.trail, desk.project, Wanted(**wanted))]

    return desk.run(all_())


def _acts(desk: Desk, **wanted: Any) -> list[str]:
    return [line.record.act for line in _found(desk, **wanted)]


def _fill(desk: Desk) -> None:
    """Two patients; what one of them wrote; three looks at it, one of them refused."""
    writes = (
        _write("Patient", "a"),
        _write("Patient", "b"),
        _write(
            "Communication",
            "m",
            subject={"reference": "Patient/a"},
            sender={"reference": "Patient/a"},
        ),
        _write("Practitioner", "9"),
    )
    desk.run(desk.trail.store.commit(desk.project, ChangeSet(writes)))
    desk.run(desk.trail.drain())
    _seen(desk, Touched("Communication", "m", "1"))
    _seen(desk, Touched("Patient", "b", "1"), Touched("Practitioner", "9", "1"), act="search")
    desk.run(desk.trail.drain())
    _seen(desk, asked="Patient/b", status=403)


def test_lines_are_found_by_what_is_asked_of_them(desk: Desk) -> None:
    _fill(desk)
    cases: dict[str, tuple[dict[str, Any], list[str]]] = {
        "all": ({}, ["read", "search", "read", "change"]),
        "a": ({"patient": "a"}, ["read", "change"]),
        "b": ({"patient": "b"}, ["search", "change"]),
        "nobody": ({"patient": "c"}, []),
        "who": ({"who": "Practitioner/9"}, ["read", "search", "read"]),
        "client": ({"who": "ClientApplication/c1"}, ["read", "search", "read"]),
        "entity": ({"entity": "Communication/m"}, ["read", "change"]),
        "both": ({"entity": "Communication/m", "who": "Practitioner/9"}, ["read"]),
        "act": ({"act": "search"}, ["search"]),
        "refused": ({"refused": True}, ["read"]),
        "earlier": ({"before": 2}, ["read", "change"]),
    }
    assert {name: _acts(desk, **wanted) for name, (wanted, _) in cases.items()} == {
        name: expected for name, (_, expected) in cases.items()
    }
    (first, *_, last) = reversed(_found(desk))
    middle = _found(desk)[1].record.at
    assert _acts(desk, since=middle) == ["read", "search"]
    assert _acts(desk, until=middle) == ["read", "change"]
    assert desk.run(find_line(desk.trail, desk.project, last.n)) == last
    assert desk.run(find_line(desk.trail, desk.project, first.n)) == first
    assert desk.run(find_line(desk.trail, desk.project, 99)) is None


def test_one_event_for_each_patient(desk: Desk) -> None:
    _fill(desk)
    made = [event for line in reversed(_found(desk)) for event in events(line)]
    shown = [
        (
            event["action"],
            event["outcome"],
            [e["what"].get("reference") for e in event.get("entity", []) if "what" in e],
        )
        for event in made
    ]
    assert shown == [
        ("C", "0", ["Practitioner/9/_history/1"]),
        ("C", "0", ["Patient/a", "Patient/a/_history/1", "Communication/m/_history/1"]),
        ("C", "0", ["Patient/b", "Patient/b/_history/1"]),
        ("R", "0", ["Patient/a", "Communication/m/_history/1"]),
        ("E", "0", ["Practitioner/9/_history/1"]),
        ("E", "0", ["Patient/b", "Patient/b/_history/1"]),
        ("R", "4", ["Patient/b"]),
    ]
    assert len({event["id"] for event in made}) == len(made)


def test_what_was_deleted_was_about_a_patient(desk: Desk) -> None:
    _fill(desk)
    stored = desk.run(desk.store.read(desk.project, "Communication", "m"))
    gone = Write("Communication", "m", "2", 1, None, b"", stored)
    desk.run(desk.trail.store.commit(desk.project, ChangeSet((gone,))))
    assert [line.record.touched[0].how for line in _found(desk, patient="a")] == ["D", "R", "C"]


def test_of_many_who_drain_each_record_is_chained_once(desk: Desk) -> None:
    trails = [desk.another() for _ in range(4)]
    for n in range(80):
        record = Record(at=desk.clock(), act="read", by=NURSE, asked=f"Patient/{n}")
        trails[n % 4].note(desk.project, record)

    async def together() -> None:
        await asyncio.gather(*(trail.drain() for trail in trails))

    desk.run(together())
    for trail in trails:
        trail.close()
        desk.run(trail.drain())
    asked = sorted(line.record.asked for line in _found(desk))
    assert asked == sorted(f"Patient/{n}" for n in range(80))
    assert desk.run(verify(desk.store, desk.project)).problem == ""


def _damaged(desk: Desk, change: Callable[[bytes], bytes | None], kind: str = BLOCK) -> str:
    """What is found wrong once a value was changed by hand."""
    name = block_name(desk.project, 1) if kind == BLOCK else desk.project
    before = desk.run(desk.store.get_private(kind, name))
    assert before is not None
    desk.run(desk.store.put_private(kind, name, change(before)))
    verdict = desk.run(verify(desk.store, desk.project))
    desk.run(desk.store.put_private(kind, name, before))
    return f"{verdict.line}: {verdict.problem}"


def _text(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda value: zlib.compress(change(zlib.decompress(value)))


def test_the_first_broken_place_is_told(desk: Desk) -> None:
    _fill(desk)
    assert len(_found(desk)) == 4
    assert desk.run(verify(desk.store, desk.project)).problem == ""

    def without_last(text: bytes) -> bytes:
        return text[: text.rindex(b"\n")]

    cases = {
        "2: line 2 is not what it was when it was chained": _damaged(
            desk, _text(lambda t: t.replace(b'"Practitioner","9"', b'"Practitioner","8"'))
        ),
        "1: block 1 does not follow the one before it": _damaged(desk, _text(without_last)),
        "1: block 1 is missing": _damaged(desk, lambda _: None),
        "1: block 1 cannot be read": _damaged(desk, lambda _: b"no block"),
        "4: the head is not that of the last line": _damaged(
            desk, lambda value: value.replace(b'"lines":4', b'"lines":5'), HEAD
        ),
    }
    assert {name: told for name, told in cases.items() if name != told} == {}


def test_an_anchor_tells_of_a_chain_that_was_written_anew(desk: Desk) -> None:
    _fill(desk)
    assert len(_found(desk)) == 4
    head = desk.run(desk.trail.head(desk.project))
    anchor = parse_anchor(f"{head.lines}:{head.hash}")
    _seen(desk, Touched("Patient", "a", "1"))
    desk.run(desk.trail.drain())
    assert desk.run(verify(desk.store, desk.project, anchor)).problem == ""
    other = anchor._replace(hash="0" * 64)
    told = desk.run(verify(desk.store, desk.project, other))
    assert told.problem == "the chain is not the one of the anchor: it was written anew"
    later = anchor._replace(lines=99)
    assert "ends before the 99 lines" in desk.run(verify(desk.store, desk.project, later)).problem


def test_pruning_leaves_a_chain_that_can_be_verified(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(desk)
    assert len(_found(desk)) == 4
    by = Who(way="command audit")
    assert desk.run(prune(desk.trail, desk.project, by)).lines == 0  # for ever, unless it is said
    desk.run(keep_for(desk.trail, desk.project, 30, by))
    assert desk.run(prune(desk.trail, desk.project, by)).lines == 0
    desk.now += 31 * 86_400_000
    pruned = desk.run(prune(desk.trail, desk.project, by))
    assert pruned == (5, 5)  # a setting that was changed is a line, too
    left = _found(desk)
    assert {line.record.act.partition(" ")[0] for line in left} == {"prune"}
    # Who was about to go on in what is gone reads nothing of what is left.
    monkeypatch.setattr(Trail, "block", None)
    monkeypatch.setattr(finding, "_block", None)
    assert (
        _found(desk, before=left[-1].n) == _found(desk, before=0) == _found(desk, before=-9) == []
    )
    monkeypatch.undo()
    verdict = desk.run(verify(desk.store, desk.project))
    assert (verdict.problem, verdict.first) == ("", 5)
    terms = desk.run(desk.store.list_private(TERM))
    assert terms == {}, "what is gone is not found by anything any more"


def _put(desk: Desk, kind: str, name: str, value: bytes | None) -> None:
    desk.run(desk.store.put_private(kind, name, value))


def _problem(desk: Desk, anchor: str = "") -> str:
    known = parse_anchor(anchor) if anchor else None
    return desk.run(verify(desk.store, desk.project, known)).problem


def test_terms_that_are_missing_or_made_up_are_told(desk: Desk) -> None:
    _fill(desk)
    assert len(_found(desk)) == 4
    terms = desk.run(desk.store.list_private(TERM))
    for name in terms:
        _put(desk, TERM, name, None)
        verdict = desk.run(verify(desk.store, desk.project))
        assert "is not found by each term of its lines: 1 missing" in verdict.problem, name
        _put(desk, TERM, name, b"")
    assert _problem(desk) == ""
    # One that sorts an old block before the newer ones ends a search too early.
    place = f"{1:015d}.{10**12 - 1:012d}"
    for forged in (f"{desk.project}/p/a/{place}", f"{desk.project}/p/a/none"):
        _put(desk, TERM, forged, b"")
        assert _problem(desk) == "blocks are found by terms that their lines do not have"
        _put(desk, TERM, forged, None)


@pytest.mark.parametrize("member", [b"begins", b"ends"])
def test_times_of_a_block_are_those_of_its_lines(desk: Desk, member: bytes) -> None:
    _fill(desk)
    assert len(_found(desk)) == 4

    def moved(text: bytes) -> bytes:
        return re.sub(b'"%s":[0-9]+' % member, b'"%s":5' % member, text, count=1)

    assert _damaged(desk, _text(moved)) == "1: block 1 does not tell the times of its lines"


def test_a_chain_that_was_cut_off_at_its_beginning_is_told(desk: Desk) -> None:
    _fill(desk)
    assert len(_found(desk)) == 4
    blocks = desk.run(_blocks(desk))
    last = blocks[-1].header
    for name in desk.run(desk.store.list_private(TERM)):
        if block_of(name) != last.block:
            _put(desk, TERM, name, None)
    for block in blocks[:-1]:
        _put(desk, BLOCK, block_name(desk.project, block.header.block), None)
    start = Head(last.block, last.first, last.before, last.begins)
    _put(desk, START, desk.project, write_head(start))
    told = "no line tells that what was before line 3 was pruned"
    assert _problem(desk) == told
    # Nor does one that tells of another pruning.
    _seen(desk, act="prune 3", asked=f"3:{'a' * 64}")
    desk.run(desk.trail.drain())
    assert _problem(desk) == told
    assert _problem(desk, f"1:{'a' * 64}") == told


async def _blocks(desk: Desk) -> list[Block]:
    return [block async for block in desk.trail.blocks(desk.project)]


def test_of_an_anchor_that_is_pruned_nothing_is_said(desk: Desk) -> None:
    _fill(desk)
    assert len(_found(desk)) == 4
    desk.now += 31 * 86_400_000
    gone = desk.run(prune(desk.trail, desk.project, Who(way="command audit"), 30)).gone
    assert _problem(desk) == "", "the record of a pruning may wait to be chained"
    desk.run(desk.trail.drain())
    assert _problem(desk) == ""
    assert _problem(desk, f"1:{'a' * 64}").endswith("cannot be checked")
    start = read_head(desk.run(desk.store.get_private(START, desk.project)))
    assert _problem(desk, f"{gone}:{start.hash}") == ""
    assert "was written anew" in _problem(desk, f"{gone}:{'a' * 64}")


def test_no_line_of_a_store_that_was_changed(desk: Desk) -> None:
    assert _problem(desk) == "", "nothing was ever done"
    _fill(desk)
    assert len(_found(desk)) == 4
    assert not desk.run(verify(desk.store, desk.project)).late
    for kind in desk.run(desk.store.private_kinds()):
        for name in desk.run(desk.store.list_private(kind)):
            _put(desk, kind, name, None)
    assert _problem(desk) == "there is no line, though the store was changed"
    _seen(desk, Touched("Patient", "a", "1"))
    desk.run(desk.trail.drain())
    verdict = desk.run(verify(desk.store, desk.project))
    assert (verdict.problem, verdict.late) == ("", True)


def test_what_is_read_in_passing_is_told_in_parts(desk: Desk) -> None:
    many = tuple(_write("Patient", f"p{n}") for n in range(1200))
    desk.run(desk.store.commit(desk.project, ChangeSet(many)))

    async def look() -> None:
        with desk.trail.watching(desk.project, NURSE, "export"):
            for n in range(1200):
                await desk.trail.store.read(desk.project, "Patient", f"p{n}")

    desk.run(look())
    lines = _found(desk)
    assert [(len(line.record.touched), line.record.more) for line in reversed(lines)] == [
        *((500, True), (500, True)),
        (200, False),
    ]


@pytest.mark.parametrize("text", ["", "12", "x:00", f"12:{'0' * 63}"])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="LINES:HASH"):
        parse_anchor(text)


def test_a_flood_of_strangers_hides_nobody_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 7.0
    monkeypatch.setattr("threadwell.audit.strangers.monotonic", lambda: now)
    stranger = Who(way="api", address="192.0.2.8")
    for _ in range(25):
        desk.trail.refused(desk.project, "access", stranger, status=401, asked="Patient")
    desk.trail.refused(desk.project, "access", NURSE, status=403, asked="Patient")
    assert len(_found(desk)) == 21
    (known,) = _found(desk, who=NURSE.who)
    assert (known.record.by, known.record.status) == (NURSE, 403)
    now = 8.0
    desk.trail.refused(desk.project, "access", stranger, status=401, asked="Patient")
    assert _found(desk)[0].record.by.name == "5 more were left out"

"""What is noted of a request is read back as the record that it is of."""

from __future__ import annotations

import msgspec
import pytest

from threadwell.audit import noted
from threadwell.audit.noted import note, nowhere, read_note, read_notes
from threadwell.audit.record import Record, Touched, Who, encode_record
from threadwell.audit.spool import MemorySpool
from threadwell.stores.contract import Stored

NURSE = Who(who="Practitioner/9", client="c1", name='Sam "Ö" Field', way="api", address="192.0.2.7")


def _stored(type_: str, id_: str, version: str = "1") -> Stored:
    return Stored(type_, id_, version, 0, False, b"{}")


M, N, P = (
    _stored("Communication", "m"),
    _stored("Communication", "n", "12"),
    _stored("Patient", "m"),
)
#: What was seen, and what is recorded of it.
SEEN: list[tuple[list[Stored], list[str]]] = [
    ([], []),
    ([M], ["Communication/m/1"]),
    ([N, M, N], ["Communication/n/12", "Communication/m/1"]),
    ([P, N, M, P], ["Communication/n/12", "Communication/m/1", "Patient/m/1"]),
    ([M, _stored("Communication", "m", "2")], ["Communication/m/1", "Communication/m/2"]),
]


def test_each_version_is_told_once() -> None:
    for seen, told in SEEN:
        there = MemorySpool()
        asked = ("Communication", 'a="\n', "r1")
        note(there.pen("p"), 7, "search", NURSE, 200, *asked, seen, more=True)
        ((_, line),) = there.waiting
        assert b"\n" not in line
        read = read_note(line)
        assert ["/".join(one) for one in read.touched] == told
        assert msgspec.structs.replace(read, touched=()) == Record(
            at=7,
            act="search",
            by=NURSE,
            asked="Communication",
            query='a="\n',
            request="r1",
            more=True,
        )


def test_a_record_is_a_line_as_well() -> None:
    record = Record(at=7, act="export", by=NURSE, touched=(Touched("Patient", "p", "1", "C"),))
    assert read_note(encode_record(record)) == record


def test_what_several_are_told_is_a_record_of_each() -> None:
    seen, other = Touched("Communication", "m", "2"), Who(who="Patient/1", way="socket")
    line = noted.told(7, "notify socket", seen, [(NURSE, "a/1"), (other, "a/2"), (NURSE, "a/3")])
    assert b"\n" not in line
    assert sorted(read_notes(line, nowhere), key=lambda one: one.asked) == [
        Record(at=7, act="notify socket", by=by, asked=asked, touched=(seen,))
        for by, asked in ((NURSE, "a/1"), (other, "a/2"), (NURSE, "a/3"))
    ]
    single = encode_record(Record(at=7, act="export", by=NURSE))
    assert read_notes(single, nowhere) == [read_note(single)]


@pytest.mark.parametrize("line", [b'["told"]', b'["told",7,"a",["T","i","1"],[[{},5]]]', b"[1]"])
def test_what_is_no_note_of_several_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_notes(line, nowhere)


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"[", b"[1]", b"{}"),
        b'[7,"read",{},200,"","","",false,[["Patient","a b","1"]]]',
        # They name a line where there is none.
        b'[7,"search",{},200,"","","",false,12]',
        b'[7,"read",12,200,"Patient/a","","",false,"1"]',
    ],
)
def test_what_is_no_note_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_note(line)


def test_a_line_names_what_it_may_and_nothing_else() -> None:
    there = {
        1: b'["by",{"who":"Patient/1"}]',
        2: b'[7,"search",{},200,"","","",false,[["Patient","a b","1 2"]]]',
        3: b'[7,"read",{},200,"Patient/c","","",false,"1"]',
        4: b'[7,"search",{},200,"","","",false,2]',
    }.__getitem__
    line = b'[8,"search",%d,200,"","","",false,%d]'
    told = read_note(line % (1, 2), there)
    assert told.by == Who(who="Patient/1")
    assert ["/".join(one) for one in told.touched] == ["Patient/a/1", "Patient/b/2"]
    assert read_notes(there(1), there) == []
    assert read_note(there(3)).touched == (("Patient", "c", "1"),)
    for by, seen in ((2, 2), (1, 1), (1, 3), (1, 4)):
        with pytest.raises(msgspec.MsgspecError):
            read_note(line % (by, seen), there)

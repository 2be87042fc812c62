"""A folder is watched: what is taken in, when, where it goes, and what is never done twice."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import threadwell
from threadwell.facade.importing import ImportJob, Who
from threadwell.facade.watching import Round, Watching, watch
from threadwell.intake import practice
from threadwell.intake.choices import Asked
from threadwell.intake.settings import Settings
from threadwell.stores.contract import StoreError

PEOPLE = """\
kind,id,family,given,phone,chat
organization,elm,Elm Street Clinic,,+1 207-555-0100,whatsapp:Elm Street
patient,ana,Prado,Ana,+1 207-555-0111,whatsapp:Ana Prado
"""
HEADER = "id,sent,from,to,text\n"


def row(number: int) -> str:
    return f"m{number},2024-03-05T09:{number % 60:02}:00Z,+12075550111,+12075550100,text {number}\n"


def rows(*numbers: int) -> str:
    return HEADER + "".join(map(row, numbers))


class Box:
    """A folder that is watched, its store, and what was told."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "in"
        self.folder.mkdir()
        self.store = root / "store.db"
        self.people = root / "people.csv"
        self.people.write_text(PEOPLE)

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def watch(self, **how: Any) -> list[Round]:
        """Look at the folder as often as it takes, and what each look has told."""
        clock = how.pop("clock", None)
        zone = how.pop("zone", "America/New_York")
        job = ImportJob((), who=Who(self.people), asked=Asked(zone=zone))
        plan = Watching(self.folder, job, **{"settle": 0, "pause": 0, "once": True, **how})
        told: list[Round] = []
        with threadwell.open(self.store) as tw:
            if clock is None:
                tw.watch(plan, told.append, Event())
            else:
                tw._loop.call(
                    watch(tw._store, tw._project, plan, told.append, Event(), clock=clock)
                )
        return told

    def names(self) -> list[str]:
        return sorted(
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()
        )

    def texts(self) -> list[str]:
        with threadwell.open(self.store) as tw:
            assert tw.verify() == []
            children = tw.search_resources("Communication", {"part-of:missing": "false"})
        return sorted(one["payload"][0].get("contentString", "") for one in children)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_what_arrives_is_taken_in_and_goes_away(box: Box) -> None:
    box.put("a.csv", rows(1, 2))
    box.put("b.csv", rows(3))
    (first,) = box.watch()
    assert (first.taken, first.unread, first.report.counts.new) == (2, 0, 3)
    assert box.names() == ["done/a.csv", "done/b.csv"]
    assert box.watch() == []
    assert box.texts() == ["text 1", "text 2", "text 3"]


def test_the_same_file_again_and_a_longer_one_add_what_is_new(box: Box) -> None:
    for numbers, new in (((1, 2), 2), ((1, 2), 0), ((1, 2, 3), 1)):
        box.put("a.csv", rows(*numbers))
        (told,) = box.watch()
        assert told.report.counts.new == new
    assert box.names() == ["done/a (2).csv", "done/a (3).csv", "done/a.csv"]
    assert box.texts() == ["text 1", "text 2", "text 3"]


def test_what_is_left_is_read_again_only_once_it_has_changed(box: Box) -> None:
    path = box.put("a.csv", rows(1))
    assert [one.taken for one in box.watch(leave=True)] == [1]
    assert box.watch(leave=True) == []
    with path.open("a") as file:
        file.write(row(2))
    (told,) = box.watch(leave=True)
    assert (told.report.counts.new, told.report.counts.known) == (1, 1)
    assert box.watch(leave=True) == []
    assert box.names() == ["a.csv"]


def test_another_store_knows_nothing_of_what_was_done(box: Box) -> None:
    box.put("a.csv", rows(1))
    box.watch(leave=True)
    box.store.unlink()
    assert [one.taken for one in box.watch(leave=True)] == [1]


def test_what_has_gone_is_forgotten(box: Box) -> None:
    path = box.put("a.csv", rows(1))
    status = path.stat()
    box.watch(leave=True)
    path.unlink()
    box.watch(leave=True)
    box.put("a.csv", rows(1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert [one.taken for one in box.watch(leave=True)] == [1]


@pytest.mark.parametrize(
    "name",
    [
        "a.csv.part",
        "a.csv.filepart",
        "a.csv.crdownload",
        "A.TMP",
        ".a.csv.Xy12",
        "a.csv~",
        "README.md",
    ],
)
def test_what_is_still_written_or_no_export_is_left(box: Box, name: str) -> None:
    box.put(name, rows(1))
    assert box.watch() == []
    assert box.names() == [name]


def test_a_part_that_is_renamed_at_its_end_is_whole(box: Box) -> None:
    path = box.put("a.csv.part", rows(1))
    box.watch()
    path.rename(box.folder / "a.csv")
    assert [one.taken for one in box.watch()] == [1]


def test_a_file_is_taken_once_it_has_not_changed_for_a_while(box: Box) -> None:
    path = box.put("a.csv", rows(1))
    time = [0.0]

    def clock() -> float:
        time[0] += 1
        if time[0] < 60:
            with path.open("a") as file:
                file.write(row(int(time[0]) + 1))
        return time[0]

    told = box.watch(settle=10, once=True, clock=clock)
    assert [(one.taken, one.busy) for one in told] == [(0, 1)]
    assert box.names() == ["a.csv"]
    told = box.watch(settle=10, once=True, clock=clock)
    time[0] = 60
    told += box.watch(settle=10, once=True, clock=clock)
    assert sum(one.taken for one in told) == 1
    with threadwell.open(box.store) as tw:
        assert (
            len(tw.search_resources("Communication", {"part-of:missing": "false", "_count": "99"}))
            > 20
        )


def test_what_nobody_can_read_goes_to_its_place_and_says_why(box: Box) -> None:
    box.put("scan.bin", b"\x00\x01 no messages")
    box.put("a.csv", rows(1))
    (told,) = box.watch()
    assert (told.taken, told.unread) == (1, 1)
    assert box.names() == ["done/a.csv", "unread/scan.bin", "unread/scan.bin.why.txt"]
    why = (box.folder / "unread" / "scan.bin.why.txt").read_text()
    assert why == "not a format that Threadwell reads; its bytes wait in the quarantine\n"
    with threadwell.open(box.store) as tw:
        assert [one.reason for one in tw.quarantine()] == ["broken"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read whatever there is")
def test_what_may_not_be_read_goes_there_too(box: Box) -> None:
    box.put("a.csv", rows(1)).chmod(0)
    box.put("b.csv", rows(2))
    (told,) = box.watch()
    assert (told.taken, told.unread) == (1, 1)
    assert box.names() == ["done/b.csv", "unread/a.csv", "unread/a.csv.why.txt"]


def test_one_file_that_fails_does_not_stop_the_others(box: Box) -> None:
    box.put("a.csv", HEADER + "m1,2024-03-05T09:00:00,+12075550111,+12075550100,no zone\n")
    box.put("b.csv", rows(2))
    told = box.watch(zone=None)
    assert [(one.taken, one.unread) for one in told] == [(1, 1)]
    why = (box.folder / "unread" / "a.csv.why.txt").read_text()
    assert "say which, such as --zone" in why
    assert box.texts() == ["text 2"]


def test_folders_and_archives_are_taken_whole(box: Box) -> None:
    box.put("monday/a.csv", rows(1))
    box.put("monday/deep/b.csv", rows(2))
    with zipfile.ZipFile(box.folder / "c.zip", "w") as archive:
        archive.writestr("c.csv", rows(3))
    (told,) = box.watch()
    assert (told.taken, told.report.counts.new) == (2, 3)
    assert box.names() == ["done/c.zip", "done/monday/a.csv", "done/monday/deep/b.csv"]


def test_a_folder_in_which_a_program_writes_is_not_whole(box: Box) -> None:
    box.put("monday/a.csv", rows(1))
    box.put("monday/b.csv.part", rows(2))
    assert box.watch() == []
    (box.folder / "monday/b.csv.part").rename(box.folder / "monday/b.csv")
    assert [one.report.counts.new for one in box.watch()] == [2]


def test_files_of_messages_go_with_them(box: Box) -> None:
    box.put("chat.txt", "3/5/24, 8:02 AM - Ana Prado: \u200eIMG-1.jpg (file attached)\n")
    box.put("IMG-1.jpg", b"jpeg")
    box.put("IMG-2.jpg", b"nobody's")
    (told,) = box.watch()
    assert (told.taken, told.unread) == (2, 1)
    assert box.names() == [
        *("done/IMG-1.jpg", "done/chat.txt", "unread/IMG-2.jpg", "unread/IMG-2.jpg.why.txt")
    ]
    with threadwell.open(box.store) as tw:
        (child,) = tw.search_resources("Communication", {"part-of:missing": "false"})
    assert ["url" in one["contentAttachment"] for one in child["payload"]] == [True]


def test_a_chat_waits_for_a_picture_that_is_still_written(box: Box) -> None:
    box.put("chat.txt", "3/5/24, 8:02 AM - Ana Prado: \u200eIMG-1.jpg (file attached)\n")
    picture = box.put("IMG-1.jpg", b"j")
    time = [0.0]

    def clock() -> float:
        time[0] += 1
        if time[0] < 40:
            with picture.open("ab") as file:
                file.write(b"p")
        return time[0]

    assert [one.taken for one in box.watch(settle=10, clock=clock)] == [0]
    assert box.names() == ["IMG-1.jpg", "chat.txt"]
    time[0] = 40
    assert [one.taken for one in box.watch(settle=10, clock=clock)] == [2]


def test_links_that_lead_elsewhere_are_not_followed(box: Box, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(rows(1))
    (box.folder / "a.csv").symlink_to(tmp_path / "secret.csv")
    os.mkfifo(box.folder / "pipe")
    assert box.watch() == []
    assert (tmp_path / "secret.csv").exists()


def test_nothing_is_written_over(box: Box) -> None:
    box.put("done/a.csv", "kept")
    box.put("a.csv", rows(1))
    box.watch()
    assert box.names() == ["done/a (2).csv", "done/a.csv"]
    assert (box.folder / "done/a.csv").read_text() == "kept"


def test_a_file_that_grows_while_it_is_read_is_read_again(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = box.put("a.csv", rows(1))
    from threadwell.facade.watching import rounds as watching

    run_import, grown = watching.run_import, []

    async def grow(*args: Any) -> Any:
        report = await run_import(*args)
        if args[2].paths and not grown:
            grown.append(path.open("a").write(row(2)))
        return report

    monkeypatch.setattr(watching, "run_import", grow)
    assert [(one.taken, one.busy) for one in box.watch()] == [(0, 1)]
    assert box.names() == ["a.csv"]
    (told,) = box.watch()
    assert (told.taken, told.report.counts.new, told.report.counts.known) == (1, 1, 1)
    assert box.texts() == ["text 1", "text 2"]


def _dies(step: str) -> Callable[..., None]:
    def die(*_args: Any, **_kwargs: Any) -> None:
        raise KeyError(step)

    return die


def test_what_was_done_and_not_moved_is_only_moved(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put("a.csv", rows(1))
    from threadwell.facade.watching import rounds as watching

    with monkeypatch.context() as patch:
        patch.setattr(watching, "move", _dies("move"))
        with pytest.raises(KeyError):
            box.watch()
    assert box.names() == ["a.csv"]
    assert box.watch() == []
    assert box.names() == ["done/a.csv"]
    assert box.texts() == ["text 1"]


def test_a_store_that_is_away_is_waited_for(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.put("a.csv", rows(1))
    from threadwell.facade.watching import rounds as watching

    run_import = watching.run_import

    async def away(*args: Any) -> Any:
        if args[2].paths:
            raise StoreError("the store is away")
        return await run_import(*args)

    with monkeypatch.context() as patch:
        patch.setattr(watching, "run_import", away)
        assert [one.trouble for one in box.watch()] == ["the store is away"]
    assert box.names() == ["a.csv"]
    assert [one.taken for one in box.watch()] == [1]


def test_a_stop_ends_after_a_whole_commit(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from functools import partial

    monkeypatch.setattr(practice, "Settings", partial(Settings, batch=2))
    box.put("a.csv", rows(*range(10)))
    stop = Event()
    job = ImportJob((), who=Who(box.people), asked=Asked(zone="America/New_York"))
    plan = Watching(box.folder, job, settle=0, pause=0)
    from threadwell.facade.watching import rounds as watching

    go_on = watching._Watch._go_on

    def counted(self: Any, counts: Any) -> None:
        if counts.read >= 4:
            stop.set()
        go_on(self, counts)

    monkeypatch.setattr(watching._Watch, "_go_on", counted)
    with threadwell.open(box.store) as tw:
        tw.watch(plan, lambda _told: None, stop)
    assert box.names() == ["a.csv"]
    assert 4 <= len(box.texts()) < 10
    monkeypatch.undo()
    (told,) = box.watch()
    assert told.report.counts.read == 10
    assert len(box.texts()) == 10


def test_a_mistake_is_said_before_anything_is_waited_for(box: Box) -> None:
    box.people.write_text("kind,id\nnobody,1\n")
    with pytest.raises(threadwell.intake.BadPeople):
        box.watch()


def test_a_folder_that_is_not_there_is_said(box: Box) -> None:
    box.folder.rmdir()
    with pytest.raises(OSError, match="No such file"):
        box.watch()


def test_names_of_files_are_not_kept(box: Box) -> None:
    box.put("WhatsApp Chat with Ana.csv", rows(1))
    box.watch(leave=True)
    assert b"Chat with Ana" not in box.store.read_bytes()
    assert json.dumps(box.names()) == '["WhatsApp Chat with Ana.csv"]'

"""The channel reads what its README says."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from threadwell.channels import ReadOptions, voicemail
from threadwell.messages import Broken, Message

CHANNEL = voicemail.CHANNEL
HERE = Path(__file__).parent
OPTIONS = ReadOptions(ZoneInfo("America/New_York"))


def test_calls_become_messages() -> None:
    first, second, third = CHANNEL.read(HERE / "export.json", OPTIONS)
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert (first.external_id, first.sender.value) == ("vm-1", "+12075550111")
    assert second.sent.isoformat() == "2025-05-13T16:30:00-04:00"
    assert second.notes == ("the time was written without a zone",)
    assert first.thread_hint == second.thread_hint
    assert isinstance(third, Broken)
    assert third.source == "export.json, call 3"
    assert b"vm-3" in third.content


def test_a_file_is_known_by_its_content() -> None:
    assert CHANNEL.sniff((HERE / "export.json").read_bytes(), Path("anything.txt"))
    assert not CHANNEL.sniff(b'{"calls": []}', Path("voicemail.json"))


def test_a_file_that_breaks_off_is_kept_whole(tmp_path: Path) -> None:
    cut = tmp_path / "cut.json"
    cut.write_bytes((HERE / "export.json").read_bytes()[:200])
    (broken,) = CHANNEL.read(cut, OPTIONS)
    assert isinstance(broken, Broken)
    assert broken.content == cut.read_bytes()

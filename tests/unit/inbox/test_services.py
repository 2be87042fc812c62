"""A service within a channel, WhatsApp by Twilio, is what people are shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from threadwell.app import channels
from threadwell.channels import ReadOptions
from threadwell.channels.channel import ChannelKind
from threadwell.channels.services import service_of_way, way_of
from threadwell.channels.twilio.logs.entry import read_entry
from threadwell.cli import main
from threadwell.inbox.words import Badges
from threadwell.intake.held.hold import holding
from threadwell.intake.people.route import Held
from threadwell.messages import Message

ANA, OWN, STRANGER = "+12075550111", "+12125550100", "+12075550199"


def entry(number: int, from_: str, service: str, to: str = OWN) -> dict[str, str]:
    return {
        "sid": f"SM{number:032x}",
        "from": f"{service}{from_}",
        "to": f"{service}{to}",
        "body": f"Message {number}",
        "direction": "inbound",
        "status": "received",
        "date_sent": f"2024-05-0{number}T12:00:00Z",
    }


LOG = [
    entry(1, ANA, "whatsapp:"),
    entry(2, ANA, ""),
    entry(3, ANA, "rcs:"),
    entry(4, STRANGER, "whatsapp:"),
    entry(5, "+12075550198", ""),
]


@pytest.mark.parametrize(
    ("channel", "thread", "way"),
    [
        ("twilio", "whatsapp:+12075550111,+12125550100", "twilio:whatsapp"),
        ("twilio", "messenger:1,messenger:2", "twilio:messenger"),
        ("twilio", "+12075550111,+12125550100", "twilio"),
        ("twilio", "sms:HARBOURLANE,+12125550100", "twilio"),
        ("email", "<a:b@example.org>", "email"),
        ("", "whatsapp:1", ""),
    ],
)
def test_which_way_a_thread_goes(channel: str, thread: str, way: str) -> None:
    assert way_of(channel, thread) == way
    service = way.partition(":")[2]
    assert service_of_way(way) == (channel if channel else "", service)


def test_the_badge_of_a_way() -> None:
    badges = Badges(channels())
    badge = badges.of("twilio:whatsapp")
    assert (badge.kind, badge.name) == (ChannelKind.CHAT, "WhatsApp")
    # The topic that the header of such a thread has, and always had.
    assert badge.topic("Text message") == "WhatsApp"
    assert badge.topic("Tomorrow") == "Tomorrow"
    assert badges.of("twilio").name == "Text message"
    assert badges.of("elsewhere").name == "elsewhere"


@pytest.fixture
def imported(tmp_path: Path) -> list[str]:
    """The options of a store into which such a log was imported."""
    (tmp_path / "log.json").write_text(json.dumps(LOG))
    store = str(tmp_path / "practice.db")
    telecom = [{"system": "phone", "value": ANA}]
    patient = {"resourceType": "Patient", "name": [{"family": "Sample"}], "telecom": telecom}
    assert main(["post", "Patient", json.dumps(patient), "--store", store]) == 0
    return [str(tmp_path / "log.json"), "--store", store]


def test_lists_of_a_terminal_say_the_service(imported: list[str], capsys: Any) -> None:
    log, *store = imported
    trial = ["import", log, "--zone", "UTC", "--owner", OWN, *store]
    assert main([*trial, "--dry-run"]) == 0
    tried = capsys.readouterr().out
    assert len(re.findall("WhatsApp", tried)) == 2
    assert main(trial) == 0
    capsys.readouterr()
    assert main(["sessions", *store]) == 0
    by_day = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "WhatsApp" in "".join(by_day.values())
    assert main(["sessions", "--format", "json", *store]) == 0
    told = json.loads(capsys.readouterr().out)
    ways = sorted(way for one in told for way in one["ways"])
    assert ways == ["twilio", "twilio:rcs", "twilio:whatsapp"]
    assert {channel for one in told for channel in one["channels"]} == {"twilio"}
    assert main(["quarantine", *store]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"WhatsApp .*\+1 207-555-0199", shown)
    assert re.search(r"Text message .*\+1 207-555-0198", shown)


def test_what_is_stored_stays_as_it_was(imported: list[str], capsys: Any) -> None:
    log, *store = imported
    assert main(["import", log, "--owner", OWN, *store]) == 0
    capsys.readouterr()
    assert main(["get", "Communication?part-of:missing=true", *store]) == 0
    entries = json.loads(capsys.readouterr().out)["entry"]
    assert [one["resource"]["topic"]["text"] for one in entries] == ["Text message"] * 3


def test_pages_of_a_held_message_say_the_service(put: Callable[..., None], browser: Any) -> None:
    written = {name.replace("_", ""): value for name, value in LOG[3].items()}
    message = read_entry(written, ReadOptions(None))
    assert isinstance(message, Message)
    held = holding(Held(message, "unknown-sender", (message.sender,)))
    put({**held.task, "id": held.task_id})
    put({**held.binary, "id": held.binary_id}, content=held.content)
    for path in ("/quarantine", f"/quarantine/{held.task_id}"):
        page = unescape(browser.get(path).text)
        assert "WhatsApp" in page
        assert "Text message" not in page.partition("<main")[2]


def test_pages_of_a_session_say_the_service(
    put: Callable[..., None], practice: Any, browser: Any
) -> None:
    header = {
        "resourceType": "Communication",
        "id": "by-whatsapp",
        "identifier": [
            {
                "system": "https://threadwell.dev/fhir/identifier/thread/twilio",
                "value": f"whatsapp:{ANA},{OWN}",
            }
        ],
        "status": "in-progress",
        "topic": {"text": "Text message"},
        "encounter": {"reference": "Encounter/family"},
        "sent": "2024-03-12T12:00:00Z",
        "recipient": [],
    }
    put(header)
    page = unescape(browser.get("/sessions/family").text)
    assert "WhatsApp thread" in page
    assert "Text message thread" not in page

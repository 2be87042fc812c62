"""``threadwell reply`` and ``threadwell outbox``, and the same in Python."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.cli import main
from threadwell.intake import BadReply

PEOPLE = """kind,id,given,family,phone
patient,ana,Ana,Cruz,+12125550121
practitioner,dana,Dana,Reed,+12125550190
"""
ROW = {
    "From": "+12125550121",
    "To": "+12125550100",
    "Body": "My knee is stiff",
    "Status": "received",
    "SentDate": "2026-01-05T09:00:00Z",
    "ApiVersion": "2010-04-01",
    "NumSegments": "1",
    "ErrorCode": "0",
    "AccountSid": "AC" + "0" * 32,
    "Sid": "SM" + "a1" * 16,
    "Direction": "inbound",
    "Price": "",
    "PriceUnit": "USD",
}
LOG = "\n".join([",".join(ROW), ",".join(ROW.values()), ""])


@pytest.fixture
def store(tmp_path: Path) -> str:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "log.csv").write_text(LOG)
    path = str(tmp_path / "practice.db")
    people = ["--people", str(tmp_path / "people.csv")]
    assert (
        main(["import", str(tmp_path / "log.csv"), *people, "--zone", "UTC", "--store", path]) == 0
    )
    with threadwell.open(path) as tw:
        values = {"account_sid": "AC" + "0" * 32, "auth_token": "token"}
        tw.add_account("front-desk", "twilio", values, addresses="+12125550100")
    return path


def the(store: str, type_: str, query: str = "") -> str:
    with threadwell.open(store) as tw:
        [found] = tw.search_resources(type_, query)
        return f"{type_}/{found['id']}"


def test_a_reply_by_the_command(store: str, capsys: Any, monkeypatch: Any, tmp_path: Path) -> None:
    thread, dana = the(store, "Communication", "part-of:missing=true"), the(store, "Practitioner")
    (tmp_path / "form.pdf").write_bytes(b"%PDF")
    capsys.readouterr()
    command = ["reply", thread, "--as", dana, "--store", store]
    assert main([*command, "Come at three.", "--key", "1"]) == 0
    says = capsys.readouterr().out
    assert "is to be sent by front-desk" in says
    assert main([*command, "Come at three.", "--key", "1"]) == 0
    assert "is there already" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO("From standard input\n"))
    assert main([*command, "-", "--file", str(tmp_path / "form.pdf"), "--format", "json"]) == 0
    second = json.loads(capsys.readouterr().out)
    with threadwell.open(store) as tw:
        body = tw.read_resource("Communication", second["message"].partition("/")[2])
        assert body["payload"][0] == {"contentString": "From standard input"}
        assert body["payload"][1]["contentAttachment"]["title"] == "form.pdf"
        assert [str(one.entry.stage) for one in tw.outbox()] == ["waiting", "waiting"]
        with pytest.raises(BadReply, match="say who writes"):
            tw.reply(thread, "Yes", sender="Patient/1")
        with pytest.raises(LookupError):
            tw.replay_letter("none")
        assert tw.verify() == []
    assert main(["outbox", "--store", store]) == 0
    assert second["message"] in capsys.readouterr().out
    assert main(["outbox", "--drop", "none", "--store", store]) == 1
    assert "no message none waits" in capsys.readouterr().err
    assert main([*command, " "]) == 1
    assert "a reply says something" in capsys.readouterr().err

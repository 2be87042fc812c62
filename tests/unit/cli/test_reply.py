"""``threadwell reply``, ``outbox``, ``draft``, ``retract``, ``correct``; the same in Python."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

import threadwell
from threadwell.cli import main
from threadwell.intake import BadReply, BadRetraction

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
    says = capsys.readouterr().out
    assert second["message"] in says
    first, behind = (one for one in says.splitlines() if "Communication/" in one)
    assert behind.endswith(f"waits behind {first.split()[0]}")
    assert re.search(r"front-desk +2 +[A-Z][a-z]{2} \d+, 20\d\d, \d+:\d\d [AP]M +0$", says, re.M)
    assert says.endswith("Times are in UTC.\n")
    assert main(["outbox", "--format", "json", "--store", store]) == 0
    [depth] = json.loads(capsys.readouterr().out)["accounts"]
    assert (depth["account"], depth["waiting"], depth["dead"]) == ("front-desk", 2, 0)
    assert main(["outbox", "--drop", "none", "--store", store]) == 1
    assert "no message none waits" in capsys.readouterr().err
    assert main([*command, " "]) == 1
    assert "a reply says something" in capsys.readouterr().err


def test_a_reply_to_what_lists_show(store: str, capsys: Any) -> None:
    """A session of one thread, and the Task of a thread that waits, which names the patient."""
    thread, dana = the(store, "Communication", "part-of:missing=true"), the(store, "Practitioner")
    session, ana = the(store, "Encounter"), the(store, "Patient")
    with threadwell.open(store) as tw:
        code = {"system": "https://threadwell.dev/fhir/CodeSystem/task", "code": "respond"}
        task = tw.create_resource(
            {
                "resourceType": "Task",
                "status": "requested",
                "intent": "order",
                "code": {"coding": [code]},
                "focus": {"reference": thread},
                "for": {"reference": ana},
            }
        )
        name = f"Task/{task['id']}"
        expected = tw.reply(thread, "Yes.", sender=dana).thread
        for one in (session, name):
            assert tw.reply(one, "Yes.", sender=dana).thread == expected
        with pytest.raises(BadReply, match="there is no Encounter/none"):
            tw.reply("Encounter/none", "Yes.", sender=dana)
        other = tw.create_resource({"resourceType": "Task", "status": "draft", "intent": "order"})
        with pytest.raises(BadReply, match="is about no thread"):
            tw.reply(f"Task/{other['id']}", "Yes.", sender=dana)
        by_hand = tw.create_resource(
            {"resourceType": "Encounter", "status": "planned", "class": {"code": "VR"}}
        )
        with pytest.raises(BadReply, match="has no thread"):
            tw.reply(f"Encounter/{by_hand['id']}", "Yes.", sender=dana)
    capsys.readouterr()
    assert main(["todos", "--store", store]) == 0
    listed = capsys.readouterr().out
    assert "Ana Cruz" in listed
    assert name in listed


# Drafts, and what is taken back or corrected


def said(capsys: Any, *arguments: str) -> str:
    assert main([*arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out.strip()


def test_a_draft_by_the_command(store: str, capsys: Any) -> None:
    thread, dana = the(store, "Communication", "part-of:missing=true"), the(store, "Practitioner")
    here = ["--store", store]
    kept = said(capsys, "draft", thread, "On", "--as", dana, *here).split()[0]
    again = ["draft", thread, "On Monday", "--as", dana, "--change", kept, *here]
    assert said(capsys, *again) == f"{kept} is kept"
    assert said(capsys, "draft", "--as", dana, *here) == f"{kept}  On Monday"
    listed = json.loads(said(capsys, "draft", "--as", dana, "--format", "json", *here))
    assert [one["status"] for one in listed] == ["preparation"]
    assert said(capsys, "draft", "--send", kept, *here) == f"{kept} is to be sent by front-desk"
    other = said(capsys, "draft", thread, "No", "--as", dana, *here).split()[0]
    assert said(capsys, "draft", "--discard", other, *here) == f"{other} is thrown away"
    assert said(capsys, "draft", "--as", dana, *here) == ""
    assert main(["draft", "--send", other, *here]) == 1
    assert "there is no" in capsys.readouterr().err
    assert main(["draft", thread, *here]) == 2
    assert "say who writes" in capsys.readouterr().err


def test_messages_taken_back_and_corrected_by_the_command(store: str, capsys: Any) -> None:
    thread, dana = the(store, "Communication", "part-of:missing=true"), the(store, "Practitioner")
    here = ["--store", store]
    wrong = said(capsys, "reply", thread, "At three.", "--as", dana, *here).split()[0]
    right = said(capsys, "correct", wrong, "At four.", "--as", dana, "--why", "a slip", *here)
    assert right.endswith(" takes its place")
    right = right.split()[0]
    out = said(capsys, "retract", right, "--by", "Nils Berg", *here)
    assert out == f"{right} is taken back, and was never sent"
    assert said(capsys, "retract", right, *here) == f"{right} is taken back already"
    told = json.loads(said(capsys, "retract", right, "--format", "json", *here))
    assert (told["message"], told["unsent"]) == (right, False)
    assert main(["retract", thread, *here]) == 1
    assert "only a message is taken back" in capsys.readouterr().err
    with threadwell.open(store) as tw:
        assert tw.read_resource(*wrong.split("/"))["statusReason"] == {"text": "a slip"}
        assert tw.outbox() == []


def test_in_python(store: str) -> None:
    thread, dana = the(store, "Communication", "part-of:missing=true"), the(store, "Practitioner")
    with threadwell.open(store) as tw:
        draft = tw.save_draft(thread, "At three.", sender=dana)
        assert [one["id"] for one in tw.drafts(dana, thread)] == [draft.partition("/")[2]]
        assert tw.send_draft(draft).message == draft
        right = tw.correct(draft, "At four.", sender=dana, why="a slip").message
        assert tw.retract(right).unsent
        with pytest.raises(BadReply, match="is no draft"):
            tw.send_draft(draft)
        with pytest.raises(BadReply, match="there is no draft"):
            tw.discard_draft(draft)
        with pytest.raises(BadRetraction, match="there is no"):
            tw.retract("Communication/none")


def test_threads_by_the_command_and_in_python(store: str, capsys: Any) -> None:
    thread, dana = the(store, "Communication", "part-of:missing=true"), the(store, "Practitioner")
    here = ["--store", store]
    with threadwell.open(store) as tw:
        assert dana in tw.add_participant(thread, dana, by="Nils Berg").participants
        assert tw.close_thread(thread).status == "completed"
    said(capsys, "thread", thread, "--reopen", *here)
    assert said(capsys, "thread", thread, "--close", *here).startswith(f"{thread} is completed")
    told = json.loads(said(capsys, "thread", thread, "--remove", dana, "--format", "json", *here))
    assert dana not in told["participants"]
    assert told["act"].startswith("Task/")
    with threadwell.open(store) as tw:
        assert tw.reopen_thread(thread).status == "in-progress"
        assert dana not in tw.remove_participant(thread, dana).participants
    assert main(["thread", thread, "--add", "Practitioner/none", *here]) == 1
    assert "who could take part" in capsys.readouterr().err


def test_what_was_read_by_the_command_and_in_python(store: str, capsys: Any) -> None:
    thread, dana = the(store, "Communication", "part-of:missing=true"), the(store, "Practitioner")
    here = ["--store", store]
    assert said(capsys, "read", *here) == "It is told by pages."
    assert said(capsys, "read", "--tell-by", "extension", *here) == "It is told by extension."
    assert said(capsys, "read", thread, "--as", dana, *here) == f"{thread} is read"
    assert said(capsys, "read", thread, "--as", dana, *here) == f"{thread} was read before"
    with threadwell.open(store) as tw:
        assert tw.read_receipts() == "extension"
        assert not tw.mark_read(thread, dana).news
        assert "thread-read-state" in str(tw.read_resource(*thread.split("/")))
    assert main(["read", thread, *here]) == 2
    assert main(["read", "--tell-by", "mail", *here]) == 2
    assert main(["read", thread, "--as", "Organization/1", *here]) == 1
    assert "say who has read it" in capsys.readouterr().err


# Who does it

#: Each act on a thread or message, and what it leaves behind that tells who has done it.
ACTS = {
    "retract": ["retract", "MESSAGE"],
    "take out": ["thread", "THREAD", "--remove", "DANA"],
    "join": ["thread", "THREAD", "--add", "DANA"],
    "reopen": ["reopen", "SESSION"],
}


@pytest.mark.parametrize("option", ["--as", "--by"])
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_who_does_it_is_a_name_or_a_reference(
    store: str, capsys: Any, act: list[str], option: str
) -> None:
    thread, dana = the(store, "Communication", "part-of:missing=true"), the(store, "Practitioner")
    message = the(store, "Communication", "part-of:missing=false")
    names = {"THREAD": thread, "MESSAGE": message, "DANA": dana, "SESSION": the(store, "Encounter")}
    command = [names.get(one, one) for one in act]
    here = ["--store", store]
    assert main([*command, option, "Practitioner/none", *here]) == 1
    assert "there is no Practitioner/none" in capsys.readouterr().err
    if "--remove" in command:
        said(capsys, "thread", thread, "--add", dana, "--by", "Nils Berg", *here)
    said(capsys, *command, option, dana, *here)
    with threadwell.open(store) as tw:
        bodies = [*tw.search_resources("Task"), *tw.search_resources("Provenance")]
    assert {"reference": dana, "display": "Dana Reed"} in list(inside(bodies))


def test_who_does_it_in_words(store: str, capsys: Any) -> None:
    message = the(store, "Communication", "part-of:missing=false")
    said(capsys, "retract", message, "--as", "Nils Berg", "--store", store)
    with threadwell.open(store) as tw:
        [told] = tw.search_resources("Provenance", f"target={message}")
    assert told["agent"] == [{"who": {"display": "Nils Berg"}}]


def test_whoever_corrects_is_told_by_name(store: str, capsys: Any) -> None:
    thread, dana = the(store, "Communication", "part-of:missing=true"), the(store, "Practitioner")
    here = ["--store", store]
    wrong = said(capsys, "reply", thread, "At three.", "--as", dana, *here).split()[0]
    said(capsys, "correct", wrong, "At four.", "--as", dana, *here)
    with threadwell.open(store) as tw:
        [told] = tw.search_resources("Provenance", f"target={wrong}")
    assert told["agent"] == [{"who": {"reference": dana, "display": "Dana Reed"}}]
    assert main(["correct", wrong, "At five.", "--as", dana, *here]) == 1
    assert f"{wrong} was corrected already by" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["reply x y --as z", "thread x --close", "todos list", "retract x"]
)
def test_an_option_that_is_none_shows_the_usage_of_its_command(command: str, capsys: Any) -> None:
    assert main([*command.split(), "--nobody", "x"]) == 2
    says = capsys.readouterr().err
    assert says.startswith(f"usage: threadwell {command.split()[0]} ")
    assert "unrecognized arguments: --nobody x" in says


def inside(value: Any) -> Any:
    """All objects within some JSON."""
    if isinstance(value, dict):
        yield value
    within = value.values() if isinstance(value, dict) else value
    for one in within if isinstance(value, dict | list) else ():
        yield from inside(one)

"""Exports of desktop and team tools: taken in twice, and later with more in them, on both stores.

Nothing is there twice then, whatever the file is called and whatever people are called by then.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import threadwell

PEOPLE = """\
kind,id,family,given,phone,email,chat
organization,elm,Elm Street Clinic,,+1 207-555-0100,desk@clinic.example.com,
practitioner,okafor,Okafor,Miriam,,m.okafor@clinic.example.com,
patient,ana,Prado,Ana,+1 207-555-0111,ana@example.org,telegram:user701
"""
Write = Callable[[Path], Path]


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=4), "utf-8")


def slack(
    folder: Path,
    days: dict[str, list[dict[str, Any]]],
    *,
    channel: str = "care",
    okafor: str = "Miriam Okafor",
    mail: bool = True,
) -> Path:
    """An export with one channel in it, in which Ana and Dr. Okafor are."""
    ana = {"real_name": "Ana Prado"} | ({"email": "ana@example.org"} if mail else {})
    doctor = {"real_name": okafor, "email": "m.okafor@clinic.example.com"}
    write(folder / "users.json", [{"id": "U1", "profile": ana}, {"id": "U2", "profile": doctor}])
    write(
        folder / "channels.json", [{"id": "C0CARE0001", "name": channel, "members": ["U1", "U2"]}]
    )
    for day, records in days.items():
        write(folder / channel / f"{day}.json", records)
    return folder


def said(ts: str, user: str, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "ts": ts, "user": user, "text": text, **more}


FIRST = [
    said("1709650800.000100", "U1", "My cough is back, <@U2>", thread_ts="1709650800.000100"),
    said("1709650900.000100", "U2", "Any fever?", thread_ts="1709650800.000100"),
]
SECOND = [
    said("1709740000.000100", "U1", "No fever", thread_ts="1709650800.000100"),
    said("1709740100.000100", "U1", "ok"),
]


def slack_days(folder: Path) -> Path:
    return slack(folder, {"2024-03-05": FIRST})


def slack_more_days(folder: Path) -> Path:
    renamed = slack(
        folder,
        {"2024-03-05": FIRST, "2024-03-06": SECOND},
        channel="care-2024",
        okafor="Miriam Reyes",
    )
    return Path(shutil.make_archive(str(folder), "zip", renamed))


def slack_without_mail(folder: Path) -> Path:
    return slack(folder, {"2024-03-05": FIRST}, mail=False)


def sent(id_: int, who: int, text: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "type": "message",
        "date": "2024-03-05T10:00:00",
        "date_unixtime": str(1709650800 + id_),
        "from": "Ana Prado" if who == 701 else "Elm Street",
        "from_id": f"user{who}",
        "text": text,
        **more,
    }


TOLD = [
    sent(1, 701, "My cough is back"),
    sent(2, 900, "Any fever?", reply_to_message_id=1),
    sent(3, 701, "", photo="photos/tongue.jpg"),
]


def telegram_chat(folder: Path, *more: Any, name: str = "Ana Prado") -> Path:
    """An export of the chat, in a folder of its own, without its files."""
    write(
        folder / "result.json",
        {"name": name, "type": "personal_chat", "id": 701, "messages": [*TOLD, *more]},
    )
    return folder


def telegram_later_chat(folder: Path) -> Path:
    telegram_chat(folder, sent(4, 701, "No fever", reply_to_message_id=2), name="Ana P.")
    return (folder / "result.json").rename(folder.with_suffix(".txt"))


def telegram_account(folder: Path) -> Path:
    """An export of the whole account, with its files, as an archive."""
    chat = {"name": "Ana Prado", "type": "personal_chat", "id": 701, "messages": TOLD}
    mine = {"personal_information": {"user_id": 900}, "chats": {"about": "", "list": [chat]}}
    write(folder / "result.json", mine)
    (folder / "photos").mkdir()
    (folder / "photos" / "tongue.jpg").write_bytes(b"jpeg of a tongue")
    return Path(shutil.make_archive(str(folder), "zip", folder))


IN_TELEGRAM = {
    "My cough is back": "",
    "Any fever?": "My cough is back",
    "": "",
    "No fever": "Any fever?",
}
IN_SLACK = {
    "My cough is back, @Miriam Okafor": "",
    "Any fever?": "My cough is back, @Miriam Okafor",
    "No fever": "My cough is back, @Miriam Okafor",
    "ok": "",
}
#: What is taken in one after the other, and the texts that are there in the end with what they
#: answer.
CASES: dict[str, tuple[list[Write], dict[str, str]]] = {
    "slack": ([slack_days, slack_days, slack_more_days, slack_days], IN_SLACK),
    "slack, the later one first": ([slack_more_days, slack_days], IN_SLACK),
    "telegram": (
        [telegram_chat, telegram_chat, telegram_later_chat, telegram_account],
        IN_TELEGRAM,
    ),
    "telegram, the account first": ([telegram_account, telegram_later_chat], IN_TELEGRAM),
}


@pytest.mark.parametrize(("exports", "texts"), CASES.values(), ids=CASES)
def test_an_export_and_a_later_larger_one_are_taken_in_once(
    exports: list[Write],
    texts: dict[str, str],
    tmp_path: Path,
    empty_store: Callable[[], str],
    live_resources: Callable[[str], dict[str, Any]],
) -> None:
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE)
    paths = [make(tmp_path / f"in {number}") for number, make in enumerate(exports)]
    at_once, in_turn = empty_store(), empty_store()
    for url, parts in ((at_once, [paths]), (in_turn, [[path] for path in paths])):
        for part in parts:
            with threadwell.open(url) as tw:
                counts = tw.import_messages(part, people=people, zone="America/New_York").counts
            assert counts.read == counts.new + counts.known + counts.quarantined
        with threadwell.open(url) as tw:
            assert tw.verify() == []
            assert tw.quarantine() == []
        assert answers(live_resources(url)) == texts
    before = live_resources(in_turn)
    with threadwell.open(in_turn) as tw:
        counts = tw.import_messages(paths[-1:], people=people, zone="America/New_York").counts
    assert counts.read == counts.known
    assert live_resources(in_turn) == before


def test_what_waited_for_addresses_has_its_place_by_an_export_that_has_them(
    tmp_path: Path, empty_store: Callable[[], str], live_resources: Callable[[str], dict[str, Any]]
) -> None:
    people, url = tmp_path / "people.csv", empty_store()
    people.write_text(PEOPLE)
    for number, make in enumerate((slack_without_mail, slack_more_days)):
        with threadwell.open(url) as tw:
            tw.import_messages([make(tmp_path / str(number))], people=people)
            assert len(tw.quarantine()) == (0 if number else 2)
    now = {text.replace("Okafor", "Reyes"): to for text, to in IN_SLACK.items()}
    named = {text: to.replace("Okafor", "Reyes") for text, to in now.items()}
    assert answers(live_resources(url)) == named


def answers(resources: dict[str, Any]) -> dict[str, str]:
    """The text of each message, with that of the one that it answers."""
    children = {
        name: body
        for name, (body, _) in resources.items()
        if body["resourceType"] == "Communication" and "partOf" in body
    }
    text = {name: body["payload"][0].get("contentString", "") for name, body in children.items()}
    assert len(set(text.values())) == len(text)
    return {
        text[name]: text.get((body.get("inResponseTo") or [{}])[0].get("reference", ""), "")
        for name, body in children.items()
    }

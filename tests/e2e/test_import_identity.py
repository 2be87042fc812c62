"""Files whose messages share ids, and copies that are more complete, on both stores.

In one import and in several, in any order: the record is the same, and nothing is lost.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

import threadwell

PEOPLE = """\
kind,id,family,given,phone,email,chat
organization,elm,Elm Street Clinic,,+1 207-555-0100,desk@clinic.example.com,
patient,ana,Prado,Ana,+1 207-555-0111,ana@example.org,whatsapp:Ana Prado
patient,ben,Stone,Ben,+1 207-555-0122,ben@example.org,
"""
PNG = base64.b64encode(b"\x89PNG picture of a knee").decode()


def mail(
    text: str, *, date: str = "Tue, 5 Mar 2024 10:00:00 -0500", id_: str = "<scan@example>"
) -> str:
    return (
        f"From: Ana <ana@example.org>\nTo: desk@clinic.example.com\nDate: {date}\n"
        f"Message-ID: {id_}\nSubject: From the scanner\n\n{text}\n"
    )


def with_picture(text: str) -> str:
    head, _, body = mail(text, id_="<knee@example>").partition("\n\n")
    return (
        f'{head}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n'
        f"Content-Type: text/plain\n\n{body}--b\nContent-Type: image/png; name=knee.png\n"
        f"Content-Transfer-Encoding: base64\n\n{PNG}\n--b--\n"
    )


def table(*rows: str) -> str:
    return "\n".join(("id,sent,from,to,text", *rows, ""))


def row(id_: str, minute: int, phone: str, text: str) -> str:
    return f"{id_},2024-03-05T09:{minute:02}:00-05:00,{phone},+12075550100,{text}"


def backup(*elements: str) -> str:
    return f"<?xml version='1.0'?><smses count='{len(elements)}'>{''.join(elements)}</smses>"


def mms(*parts: str) -> str:
    listed = f"<parts>{''.join(parts)}</parts>" if parts else ""
    return (
        '<mms date="1709650800123" msg_box="1" address="+12075550111" m_type="132" m_id="m7">'
        f'{listed}<addrs><addr address="+12075550111" type="137"/></addrs></mms>'
    )


WORDS = '<part seq="1" ct="text/plain" text="my knee"/>'
LAYOUT = (
    '<part seq="-1" ct="application/smil" '
    'text="&lt;smil&gt;&lt;img src=&quot;k.png&quot;/&gt;&lt;/smil&gt;"/>'
)
PICTURE = f'<part seq="0" ct="image/png" cl="k.png" data="{PNG}"/>'
CHAT = """\
3/5/24, 8:01 AM - Ana Prado: Good morning
3/5/24, 8:02 AM - Ana Prado: {file}
3/5/24, 8:05 AM - +1 207-555-0100: I see
3/15/24, 8:05 AM - Ana Prado: Better now
"""
TEXT = {
    "from": "+12075550111",
    "to": "+12075550100",
    "direction": "inbound",
    "status": "received",
    "num_media": "0",
}


def text(number: int, body: str, **more: str) -> dict[str, str]:
    at = f"2024-03-05T14:{number:02}:00Z"
    return {**TEXT, "sid": f"SM{number:032x}", "date_sent": at, "body": body, **more}


def console(*texts: dict[str, str]) -> str:
    rows = [[one[name] for name in ("from", "to", "body", "date_sent", "sid")] for one in texts]
    return "".join(
        ",".join(row) + "\n"
        for row in (["From", "To", "Body", "SentDate", "Sid", "Direction"], *map(_inbound, rows))
    )


def _inbound(row: list[str]) -> list[str]:
    return [*row, "inbound"]


def bulk(*texts: dict[str, str]) -> str:
    return "".join(json.dumps(one) + "\n" for one in texts)


def stored(number: int, body: str) -> dict[str, Any]:
    return {
        "uri": f"https://platform.example.com/restapi/v1.0/account/1/message-store/{number}",
        "id": number,
        "type": "SMS",
        "direction": "Inbound",
        "from": {"phoneNumber": "+12075550111"},
        "to": [{"phoneNumber": "+12075550100"}],
        "creationTime": f"2024-03-05T15:{number:02}:00.000Z",
        "subject": body,
    }


def quo(number: int, body: str) -> dict[str, Any]:
    return {
        "id": f"AC{number}",
        "phoneNumberId": "PN1",
        "direction": "incoming",
        "from": "+12075550111",
        "to": ["+12075550100"],
        "createdAt": f"2024-03-05T16:{number:02}:00Z",
        "text": body,
    }


OUT = {"from": "+12075550100", "to": "+12075550111", "direction": "outbound-api"}
LONG = "My knee has hurt since Sunday, and now it is warm and red as well."

#: What the files are, the texts that are kept, how many of all messages wait, and how many files
#: of messages are there in the end.
CASES = {
    "three mails of one id": (
        {
            "a.eml": mail("The first page of my letter"),
            "b.eml": mail("Something else altogether", date="Tue, 5 Mar 2024 11:00:00 -0500"),
            "c.eml": mail("And a third", date="Wed, 6 Mar 2024 11:00:00 -0500"),
        },
        ["And a third", "Something else altogether", "The first page of my letter"],
        0,
        0,
    ),
    "two vendors that number from 1": (
        {
            "portal.csv": table(
                row("1", 0, "+12075550111", "My knee hurts"),
                row("2", 1, "+12075550111", "Since Sunday"),
            ),
            "texting.csv": table(
                row("1", 30, "+12075550122", "I have chest pain"),
                row("2", 31, "+12075550199", "Nobody knows me"),
            ),
        },
        ["I have chest pain", "My knee hurts", "Since Sunday"],
        1,
        0,
    ),
    "ids that a spreadsheet has rounded": (
        {
            "first.csv": table(row("9.00719925474099E+15", 0, "+12075550111", "one")),
            "second.csv": table(row("9007199254740990000", 1, "+12075550111", "two")),
            "third.csv": table(
                row("9007199254740990", 2, "+12075550111", "three"),
                row("9007199254740990", 3, "+12075550111", "four"),
            ),
        },
        ["four", "three"],
        2,
        0,
    ),
    "the whole mail comes later": (
        {
            "short.eml": mail(LONG[:30], id_="<knee@example>"),
            "long.eml": mail(LONG, id_="<knee@example>"),
            "picture.eml": with_picture(LONG),
        },
        [LONG],
        0,
        1,
    ),
    "a backup without and with media": (
        {
            "bare.xml": backup(mms(WORDS)),
            "layout.xml": backup(mms(LAYOUT, WORDS)),
            "whole.xml": backup(mms(LAYOUT, PICTURE, WORDS)),
        },
        ["my knee"],
        0,
        1,
    ),
    "a chat without and with its files": (
        {
            "1/WhatsApp Chat with Ana Prado.txt": CHAT.format(file="<Media omitted>"),
            "2/WhatsApp Chat with Ana Prado (1).txt": CHAT.format(
                file="IMG-20240305-WA0001.jpg (file attached)"
            ),
            "2/IMG-20240305-WA0001.jpg": "picture",
            "3/WhatsApp Chat with Ana Prado.txt": CHAT.format(
                file="IMG-20240305-WA0001.jpg (file attached)"
            ),
        },
        ["", "Better now", "Good morning", "I see"],
        0,
        1,
    ),
    "a message log, a longer one, and another form of it": (
        {
            "monday.json": bulk(text(1, "My knee hurts"), text(2, "", **OUT, status="queued")),
            "tuesday.json": bulk(
                text(1, "My knee hurts"),
                text(2, "Since when?", **OUT, status="delivered"),
                text(3, "Since Sunday"),
            ),
            "page.json": json.dumps({"messages": [text(3, "Since Sunday"), text(1, "")]}),
            "console.csv": console(text(1, "My knee hurts"), text(3, "Since Sunday")),
        },
        ["My knee hurts", "Since Sunday", "Since when?"],
        1,
        0,
    ),
    "pages of two phone systems, the same ones again, and later ones": (
        {
            "rc-1.json": json.dumps({"records": [stored(1, "My knee hurts")]}),
            "rc-2.json": json.dumps({"records": [stored(2, "Worse"), stored(1, "My knee hurts")]}),
            "quo-1.json": json.dumps({"data": [quo(1, "And my hip")], "totalItems": 1}),
            "quo-2.json": json.dumps({"data": [quo(1, "And my hip"), quo(2, "Please call")]}),
        },
        ["And my hip", "My knee hurts", "Please call", "Worse"],
        0,
        0,
    ),
    "a stranger's two mails of one id": (
        {
            "a.eml": mail("The first").replace("ana@", "zed@"),
            "b.eml": mail("The second", date="Tue, 5 Mar 2024 11:00:00 -0500").replace(
                "ana@", "zed@"
            ),
        },
        [],
        2,
        0,
    ),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[list[Path], list[str], int, int]:
    """The files of a case, or the folders that they lie in, and what is to come of them."""
    files, texts, held, attached = request.param
    (tmp_path / "people.csv").write_text(PEOPLE)
    for name, content in files.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return sorted((tmp_path / "in").iterdir()), texts, held, attached


def take(url: str, parts: Sequence[Sequence[Path]]) -> None:
    for part in parts:
        people = part[0].parent.parent / "people.csv"
        with threadwell.open(url) as tw:
            report = tw.import_messages(part, people=people, zone="America/New_York")
        counts = report.counts
        assert counts.read == counts.new + counts.known + counts.quarantined


def test_nothing_is_lost_and_nothing_is_there_twice(
    case: tuple[list[Path], list[str], int, int],
    empty_store: Callable[[], str],
    live_resources: Callable[[str], dict[str, Any]],
) -> None:
    paths, texts, held, attached = case
    at_once = empty_store()
    take(at_once, [paths])
    with threadwell.open(at_once) as tw:
        assert tw.verify() == []
        assert len(tw.quarantine()) == held
    expected = live_resources(at_once)
    children = [
        body
        for body, _ in expected.values()
        if body["resourceType"] == "Communication" and "partOf" in body
    ]
    words = [part.get("contentString") for one in children for part in one["payload"][:1]]
    assert sorted(text or "" for text in words) == texts
    urls = [
        part["contentAttachment"].get("url")
        for one in children
        for part in one["payload"]
        if "contentAttachment" in part
    ]
    assert len(urls) == attached
    assert all(url in expected for url in urls)
    orders = [*permutations(paths)]
    for order in (orders[-1], orders[len(orders) // 2]):
        url = empty_store()
        take(url, [[one] for one in order])
        take(url, [paths])
        found = live_resources(url)
        assert sorted(_that_count(found)) == sorted(_that_count(expected))
        assert {name: found[name] for name in _that_count(found)} == {
            name: expected[name] for name in _that_count(expected)
        }


def _that_count(resources: dict[str, Any]) -> list[str]:
    """All but the files of messages that have moved, which nothing names any more."""
    named = str([body for body, _ in resources.values() if body["resourceType"] != "Binary"])
    return [name for name in resources if not name.startswith("Binary/") or name in named]

"""Mail, from the file to the record: who wrote, and what is no care."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import threadwell

PEOPLE = """\
kind,id,family,given,email
organization,clinic,Elm,,desk@clinic.example.org;nurses@lists.clinic.example.org
patient,uta,Berg,Uta,uta@münchen.example
patient,ana,Prado,Ana,ana@example.org
"""
UTA, UTA_ASCII, ANA = "uta@münchen.example", "uta@xn--mnchen-3ya.example", "ana@example.org"
DESK, NURSES = "desk@clinic.example.org", "nurses@lists.clinic.example.org"


def mail(number: int, **fields: str) -> str:
    header = {
        "From": ANA,
        "To": DESK,
        "Date": f"Wed, 10 Apr 2024 09:0{number}:00 +0000",
        "Message-ID": f"<{number}@example.org>",
    }
    lines = (f"{name}: {value}" for name, value in (header | fields).items())
    return "\n".join((*lines, "", "My knee hurts.", ""))


@pytest.mark.parametrize(
    ("mails", "senders", "reasons"),
    [
        ([{"From": UTA}, {"From": UTA_ASCII}, {"From": f"'{UTA}'"}], ["Uta"], {}),
        ([{"From": DESK, "To": f"<'{ANA}'>"}], ["Elm"], {}),
        ([{"From": NURSES, "To": NURSES, "X-Original-From": ANA}], ["Ana"], {}),
        ([{"From": f"Ana via Nurses <{NURSES}>", "To": NURSES}], [], {"broken": 1}),
        ([{"X-Gmail-Labels": "Spam", "From": "pills@example.net"}], [], {"set-aside": 1}),
        ([{}, {"X-Unsent": "1"}], ["Ana"], {"set-aside": 1}),
    ],
)
def test_senders(
    tmp_path: Path, mails: list[dict[str, str]], senders: list[str], reasons: dict[str, int]
) -> None:
    folder, people = tmp_path / "mails", tmp_path / "people.csv"
    folder.mkdir()
    people.write_text(PEOPLE, "utf-8")
    for number, fields in enumerate(mails):
        (folder / f"{number}.eml").write_text(mail(number, **fields), "utf-8")
    with threadwell.open(tmp_path / "store.db") as tw:
        report = tw.import_messages(folder, people=people, zone="UTC", unknown="patient")
        sent = tw.search_resources("Communication", "part-of:missing=false")
        wrote = {child["sender"]["reference"] for child in sent}
        names = [name_of(tw.read_resource(*reference.split("/"))) for reference in sorted(wrote)]
    assert names == senders
    assert report.reasons == reasons
    assert report.counts.read == len(mails)


def name_of(resource: dict[str, Any]) -> str:
    name = resource["name"]
    return name if isinstance(name, str) else name[0]["given"][0]

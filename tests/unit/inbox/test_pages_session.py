"""The page of a session, and what every page has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from threadwell.encounters import codes
from threadwell.encounters.attribution import NAMED, SENDER, Reason, chosen, with_reasons
from threadwell.stores.contract import StoreError


def test_a_session_is_drawn_message_by_message(practice: Any, browser: Any) -> None:
    page = browser.get("/sessions/family").text
    assert page.index("since") < page.index("Keep her warm.")
    assert "&lt;b&gt;since&lt;/b&gt;" in page
    assert "&gt; quoted" in page
    assert "Fever and rash" in page
    assert 'class="message ours" id="m-m2"' in page
    assert "Mother" in page
    for id_ in ("family", "rash", "medical-lena", "medical-tomas"):
        assert f"<code>{id_}</code>" in page


@pytest.mark.parametrize(
    ("reasons", "line"),
    [
        ([Reason("Patient/lena", NAMED, "Lena has a <fever>")], "“Lena has a &lt;fever&gt;”"),
        ([Reason("Patient/tomas", SENDER)], "the sender can only be writing for them"),
        (chosen(["Patient/lena"], "Task/1"), "About Lena Prado: a person has said so."),
        (chosen([], "Task/1"), "A person has said that it is about none of them."),
    ],
)
def test_a_message_says_why_it_is_about_somebody(
    practice: Any, put: Any, browser: Any, make_message: Any, reasons: Any, line: str
) -> None:
    m3 = make_message("m3", "rash", "RelatedPerson/ana", "2024-03-13T04:00:00Z", "And now?")
    put(with_reasons(m3, reasons))
    assert line in browser.get("/sessions/family").text


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", ["Tuesday, March 12, 2024", "Wednesday, March 13, 2024"]),
        ("America/New_York", ["Tuesday, March 12, 2024"]),
        ("Pacific/Auckland", ["Wednesday, March 13, 2024"]),
    ],
)
def test_days_are_those_of_the_care_zone(
    practice: Any, browser: Any, keep_zone: Callable[[str], None], zone: str, days: list[str]
) -> None:
    keep_zone(zone)
    page = browser.get("/sessions/family").text
    assert [line for line in _headings(page) if "2024" in line] == days
    assert f"Times are in {zone}" in page


def test_a_medical_encounter_leads_to_its_session(practice: Any, browser: Any) -> None:
    answer = browser.get("/sessions/medical-lena")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions/family")


@pytest.mark.parametrize(
    "path", ["/sessions/none", "/patients/none", "/attachments/none", "/quarantine/none", "/none",
             "/?cursor=x", "/?status=none", "/static/none"]
)  # fmt: skip
def test_what_is_not_there_is_not_found(practice: Any, browser: Any, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "no such page" in answer.text


@pytest.mark.parametrize(
    ("kind", "sent_as", "disposition"),
    [
        ("image/png", "image/png", "inline"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("text/html", "application/octet-stream", "attachment"),
    ],
)
def test_an_attachment_is_never_run(
    put: Callable[..., None], browser: Any, kind: str, sent_as: str, disposition: str
) -> None:
    binary = {"resourceType": "Binary", "id": "file", "contentType": kind}
    put(binary, content=b"<script>alert(1)</script>")
    answer = browser.get("/attachments/file")
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == sent_as
    assert answer.headers["content-disposition"] == disposition
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_empty_store_says_how_to_begin(browser: Any) -> None:
    assert "threadwell import" in browser.get("/").text
    assert "Nothing is held back" in browser.get("/quarantine").text


def test_the_style_sheet_may_be_kept(browser: Any) -> None:
    page = browser.get("/").text
    url = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = browser.get(url)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]


def test_a_failure_is_a_page_and_its_log_holds_no_content(
    store: Any, browser: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(*_: Any) -> None:
        raise RuntimeError("Ana Prado")

    monkeypatch.setattr(store, "search", failing)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "RuntimeError" in caplog.text
    assert "Ana" not in answer.text + caplog.text


def test_a_store_that_does_not_answer_is_a_page_too(
    store: Any, browser: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(*_: Any) -> None:
        raise StoreError("its disk fails")

    monkeypatch.setattr(store, "search", failing)
    answer = browser.get("/")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "try again" in answer.text
    assert "its disk fails" in caplog.text
    assert "its disk" not in answer.text


def _headings(page: str) -> list[str]:
    return [part.partition("</h3>")[0] for part in page.split('<h3 class="day">')[1:]]


@pytest.mark.parametrize(
    "query",
    [
        f"cursor={'9' * 5000}",
        "cursor=W10",
        "cursor=²",
        "cursor=WyJ4Il0",
        "patient=../x",
        "patient=%00",
    ],
)
def test_there_is_no_page_for_what_cannot_be_asked(practice: Any, browser: Any, query: str) -> None:
    assert browser.get(f"/?{query}").status_code == 404


@pytest.mark.parametrize(
    ("referer", "link"),
    [
        (
            "http://testserver/?status=open&cursor=x",
            '<a href="/?status=open&amp;cursor=x">← Sessions',
        ),
        ("http://testserver/patients/lena", '<a href="/patients/lena">← Patient'),
        ("http://testserver/reviews?cursor=x", '<a href="/reviews?cursor=x">← To review'),
        ("http://testserver/sessions/own", '<a href="/">← Sessions'),
        ("http://elsewhere.example/?status=open", '<a href="/">← Sessions'),
        ("http://testserver//elsewhere.example/?x", '<a href="/">← Sessions'),
        ("", '<a href="/">← Sessions'),
    ],
)
def test_a_session_leads_back_to_the_list_as_it_was_left(
    practice: Any, browser: Any, referer: str, link: str
) -> None:
    page = browser.request("GET", "/sessions/family", headers={"Referer": referer}).text
    assert link in page


def test_an_unknown_patient_has_no_link_to_a_page(practice: Any, browser: Any) -> None:
    assert "/patients/lena" in browser.get("/?patient=lena").text
    page = browser.get("/?patient=gone")
    assert page.status_code == 200
    assert "/patients/gone" not in page.text


@pytest.mark.parametrize(
    ("path", "then"),
    [
        ("/sessions/family", "/sessions/family"),
        ("/?patient=lena&status=open", "/?patient=lena&status=open"),
        ("/patients/lena", "/patients/lena"),
        ("/attachments/x", "/"),
        ("/", "/"),
    ],
)
def test_who_opens_a_page_is_led_there_once_signed_in(
    practice: Any, visitor: Any, sign_in_link: str, path: str, then: str
) -> None:
    assert visitor.get(path).status_code == 401
    answer = visitor.post(sign_in_link)
    assert (answer.status_code, answer.headers["location"]) == (303, then)
    assert visitor.get(then).status_code == 200
    assert [name for name in visitor.cookies if "wanted" in name] == []


@pytest.mark.parametrize(
    "wanted",
    ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "/sign-out"],
)
def test_signing_in_leads_nowhere_else(
    practice: Any, visitor: Any, sign_in_link: str, wanted: str
) -> None:
    visitor.cookies.set("threadwell-wanted", wanted, domain="testserver.local")
    visitor.cookies.set("threadwell-wanted", wanted)
    assert visitor.post(sign_in_link).headers["location"] == "/"


def test_what_somebody_took_part_as_is_said_where_it_is_more(
    practice: Any, browser: Any, put: Any, make_session: Any
) -> None:
    def participant(who: str, code: str, display: str) -> dict[str, Any]:
        coding = {"system": codes.PARTICIPATION_TYPE, "code": code, "display": display}
        return {"type": [{"coding": [coding]}], "individual": {"reference": who}}

    put(
        make_session(
            "s",
            "Patient/lena",
            "2024-03-12T11:58:00Z",
            participant=[
                participant("Practitioner/ines", "PPRF", "primary performer"),
                participant("RelatedPerson/ana", "PART", "Participation"),
            ],
        )
    )
    page = browser.get("/sessions/s").text
    assert "Practitioner · primary performer" in page
    assert "Mother</span>" in page


def test_commands_are_set_apart(practice: Any, visitor: Any) -> None:
    page = visitor.get("/quarantine").text
    assert "<code>threadwell serve</code>" in page
    assert "`" not in page


def test_what_is_noted_of_all_messages_is_said_once(
    browser: Any, put: Any, make_session: Any, make_header: Any, make_message: Any
) -> None:
    put(make_session("s", "Patient/lena", "2024-03-12T11:58:00Z"), make_header("h", "s", "Rash"))
    for number, own in ((1, []), (2, []), (3, [{"text": "number 3"}])):
        sent = f"2024-03-12T12:0{number}:00Z"
        notes = [{"text": "its date was read"}, *own]
        put(make_message(f"n{number}", "h", "Patient/lena", sent, "Well", note=notes))
    page = browser.get("/sessions/s").text
    assert page.count("its date was read") == 1
    assert "All messages here: its date was read" in page
    assert "number 3" in page


@pytest.mark.parametrize(("id_", "parent"), [("a", "a"), ("a", "b"), ("b", "a"), ("a", "none")])
def test_an_encounter_that_is_part_of_no_session_has_its_own_page(
    browser: Any, put: Any, make_session: Any, id_: str, parent: str
) -> None:
    other = {"a": "b", "b": "a"}[id_]
    for one, of in ((id_, parent), (other, id_)):
        part_of = {"reference": f"Encounter/{of}"}
        put(make_session(one, "Patient/lena", "2024-03-12T11:58:00Z", partOf=part_of))
    assert browser.get(f"/sessions/{id_}").status_code == 200

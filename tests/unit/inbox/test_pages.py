"""Signing in, the list of sessions, and how it is searched, over a store in memory."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

INSIDE = [
    "/",
    "/patients/lena",
    "/sessions/family",
    "/quarantine",
    "/quarantine/x",
    "/attachments/x",
]


@pytest.mark.parametrize("path", INSIDE)
def test_nobody_sees_a_page_without_signing_in(practice: Any, visitor: Any, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 401
    assert "threadwell sign-in" in answer.text
    assert "Prado" not in answer.text


@pytest.mark.parametrize("path", ["/", "/sessions/family", "/quarantine", "/sign-in/x"])
def test_every_page_says_what_it_may_load_and_is_not_kept(
    practice: Any, browser: Any, path: str
) -> None:
    headers = browser.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"


def test_a_link_survives_previews_and_signs_in_once(
    store: Any, visitor: Any, sign_in_link: str
) -> None:
    for method in ("HEAD", "GET", "GET"):
        preview = visitor.request(method, sign_in_link)
        assert preview.status_code == 200
        assert "set-cookie" not in preview.headers
    assert "Sign in</button>" in preview.text
    assert visitor.get("/").status_code == 401
    first, second = visitor.post(sign_in_link), visitor.post(sign_in_link)
    assert (first.status_code, second.status_code) == (303, 403)
    assert first.headers["location"] == "/"
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert visitor.get("/").status_code == 200
    spent = visitor.get(sign_in_link)
    assert spent.status_code == 403
    assert "<form" not in spent.text


@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ({}, True),
        ({"origin": "http://testserver"}, True),
        ({"origin": "https://threads.example.org"}, True),
        ({"origin": "https://threads.example.org", "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "https://other.example"}, False),
        ({"origin": "http://threads.example.org"}, False),
        ({"origin": "https://threads.example.org.other.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "file://testserver"}, False),
        ({"origin": ""}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site", "origin": "https://a.example.org"}, False),
    ],
)
def test_only_our_own_pages_sign_in_and_out(
    store: Any, new_visitor: Any, sign_in_link: str, headers: dict[str, str], let_in: bool
) -> None:
    """A proxy says ``testserver`` to us; browsers know another name."""
    visitor = new_visitor("https://threads.example.org")
    path = sign_in_link.removeprefix("http://testserver")
    here = {"host": "testserver", **headers}
    answer = visitor.post(path, headers=here)
    assert answer.status_code == (303 if let_in else 403)
    if not let_in:
        assert visitor.post(path, headers={"host": "testserver"}).status_code == 303
    answer = visitor.post("/sign-out", headers=here)
    assert answer.status_code == (200 if let_in else 403)
    assert visitor.get("/").status_code == (401 if let_in else 200)


@pytest.mark.parametrize(
    ("url", "name", "secure"),
    [
        ("http://testserver", "threadwell", False),
        ("https://threadwell.example.org", "__Host-threadwell", True),
    ],
)
def test_the_cookie_is_as_secure_as_the_url_of_the_server(
    new_visitor: Any, sign_in_link: str, url: str, name: str, secure: bool
) -> None:
    visitor = new_visitor(url)
    cookie = visitor.post(sign_in_link.replace("http://testserver", url)).headers["set-cookie"]
    assert cookie.startswith(f"{name}=")
    assert ("Secure" in cookie.split("; ")) is secure
    assert "Path=/" in cookie.split("; ")
    assert visitor.get("/").status_code == 200
    assert visitor.post("/sign-out").status_code == 200
    assert name not in visitor.cookies


def test_a_proxy_may_speak_http_with_the_server(new_visitor: Any, sign_in_link: str) -> None:
    visitor = new_visitor("https://threadwell.example.org")
    assert "Secure" in visitor.post(sign_in_link).headers["set-cookie"].split("; ")


def test_signing_out_closes_the_door(practice: Any, browser: Any) -> None:
    cookie = dict(browser.cookies)
    assert browser.post("/sign-out").status_code == 200
    browser.cookies.update(cookie)
    assert browser.get("/").status_code == 401


def test_the_list_tells_whom_and_what_each_session_is_about(practice: Any, browser: Any) -> None:
    page = browser.get("/").text
    assert page.index("Lena Prado &amp; Tomás Prado") < page.index(">Tomás Prado<")
    for words in ("2 sessions", "E-mail", "2 messages", "Dr. Ines Alvarado</bdi>: Keep her warm."):
        assert words in page
    assert "/sessions/medical-lena" not in page
    assert "/sessions/old" not in page


@pytest.mark.parametrize(
    ("query", "sessions"),
    [
        ("", ["family", "own"]),
        ("?status=open", ["family"]),
        ("?status=finished", ["own"]),
        ("?status=superseded", ["old"]),
        ("?patient=lena", ["family"]),
        ("?patient=tomas", ["family", "own"]),
        ("?patient=tomas&status=finished", ["own"]),
        ("?patient=nobody", []),
        ("?channel=email", ["family"]),
        ("?channel=whatsapp", []),
        ("?from=2024-03-02", ["family"]),
        ("?from=2024-03-01&to=2024-03-01", ["own"]),
        ("?from=2024-03-02&to=2024-03-01", ["own"]),
        ("?review=1", []),
        ("?status=&patient=&channel=&from=&to=", ["family", "own"]),
    ],
)
def test_the_list_shows_what_is_asked_for(
    practice: Any, browser: Any, query: str, sessions: list[str]
) -> None:
    page = browser.get("/" + query).text
    assert [s for s in ("family", "own", "old") if f'href="/sessions/{s}"' in page] == sessions


def test_the_list_has_pages(put: Callable[..., None], browser: Any, make_session: Any) -> None:
    put(*(make_session(f"s{n}", "Patient/x", f"2024-03-{n:02}T10:00:00Z") for n in range(1, 28)))
    first = browser.get("/").text
    assert 'href="/sessions/s27"' in first
    assert _turn(first, "prev") == ""
    # What comes and goes meanwhile moves nothing on the pages that follow.
    put(make_session("s28", "Patient/x", "2024-03-28T10:00:00Z"))
    second = browser.get(_turn(first, "next")).text
    assert _turn(second, "next") == ""
    assert [n for n in (1, 2, 3) if f'href="/sessions/s{n}"' in second] == [1, 2]
    back = browser.get(_turn(second, "prev")).text
    assert 'href="/sessions/s3"' in back
    assert 'href="/sessions/s27"' in back
    assert 'href="/sessions/s28"' in browser.get(_turn(back, "prev")).text


def test_what_is_no_day_is_told_and_stays(practice: Any, browser: Any) -> None:
    answer = browser.get("/?from=soon&to=Mar+4,+2024")
    assert answer.status_code == 400
    assert "“soon” is no day: write it as Mar 4, 2026." in answer.text
    assert 'name="from" value="soon"' in answer.text
    assert 'name="to" value="Mar 4, 2024"' in answer.text


def test_filters_stay_while_pages_turn(
    put: Callable[..., None], browser: Any, make_session: Any
) -> None:
    put(*(make_session(f"s{n}", "Patient/x", f"2024-03-{n:02}T10:00:00Z") for n in range(1, 31)))
    first = browser.get("/?from=2024-03-03&status=open").text
    assert 'value="Mar 3, 2024"' in first
    second = browser.get(_turn(first, "next")).text
    shown = [n for n in range(1, 31) if f'href="/sessions/s{n}"' in second]
    assert shown == [3, 4, 5]
    assert _turn(second, "next") == ""


def _turn(page: str, rel: str) -> str:
    """Where a link to another page leads, ``""`` where there is none."""
    return unescape(page.partition(f'rel="{rel}" href="')[2].partition('"')[0])


def test_a_long_thread_is_turned_over(
    practice: Any, put: Callable[..., None], browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threadwell.inbox.session_page.MESSAGES", 2)
    more = (
        {
            "resourceType": "Communication",
            "id": f"n{n}",
            "partOf": [{"reference": "Communication/rash"}],
            "status": "completed",
            "sent": f"2024-03-14T0{n}:00:00Z",
            "payload": [{"contentString": f"number {n}"}],
        }
        for n in range(3)
    )
    put(*more)
    first = browser.get("/sessions/family").text
    assert "number" not in first
    second = browser.get("/sessions/family" + _turn(first, "next")).text
    assert "number 0" in second
    assert "number 1" in second
    third = browser.get("/sessions/family" + _turn(second, "next")).text
    assert "number 2" in third
    assert "5 messages" in third
    again = browser.get("/sessions/family" + _turn(third, "prev")).text
    assert "number 1" in again


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("lena prado", "/?patient=lena"),
        ("TOMAS", "/?patient=tomas"),
        ("prado", "/find?id=lena&id=tomas"),
        ("nobody", "/find"),
        (" , ", "/find"),
        ("a " * 2000, "/find"),
    ],
)
def test_a_patient_is_found_by_name(practice: Any, browser: Any, name: str, outcome: str) -> None:
    answer = browser.post("/find", name=name)
    assert (answer.status_code, answer.headers["location"]) == (303, outcome)


@pytest.mark.parametrize(
    ("typed", "outcome"),
    [
        ("(207) 555-0142", "/find?id=lena&id=tomas"),
        ("+1 207 555 0199", "/?patient=lena"),
        ("12075550131", "/?patient=otto"),
        ("OTTO@prado.example", "/?patient=otto"),
        ("+12075550100", "/find"),
        ("2016-05-01", "/find"),
    ],
)
def test_a_patient_is_found_by_an_address(
    practice: Any, browser: Any, put: Any, typed: str, outcome: str
) -> None:
    put(
        {
            "resourceType": "Patient",
            "id": "otto",
            "telecom": [
                {"system": "phone", "value": "207-555-0131"},
                {"system": "email", "value": "otto@prado.example"},
            ],
        },
        *(
            {
                "resourceType": "RelatedPerson",
                "id": f"{of}-{number[-4:]}",
                "patient": {"reference": f"Patient/{of}"},
                "telecom": [{"system": "phone", "value": number}],
            }
            for of, number in (
                ("lena", "+12075550142"),
                ("tomas", "2075550142"),
                ("lena", "+12075550199"),
            )
        ),
    )
    assert browser.post("/find", name=typed).headers["location"] == outcome


def test_those_who_are_found_have_a_page_to_come_back_to(practice: Any, browser: Any) -> None:
    page = browser.get("/find?id=tomas&id=lena&id=gone&id=../x").text
    assert "2 patients found" in page
    assert page.index("Tomás") < page.index("Lena")
    assert 'name="name"' in page
    assert "No patient is found" in browser.get("/find").text
    many = browser.get("/find?" + "&".join(f"id={n}" for n in ["lena", "tomas", *range(50)]))
    assert "More than 2 patients found" in many.text

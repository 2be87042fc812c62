"""A person says on the pages whom messages are about."""

from __future__ import annotations

import re
from html import unescape

import pytest

from threadwell.encounters import codes
from threadwell.stores.contract import DEFAULT_PROJECT


def choices(page: str) -> dict[str, bool]:
    """The patients to choose from, by id, and whether each is ticked."""
    found = re.findall(r'name="patient" value="([^"]+)"( checked)?', page)
    return {id_: bool(checked) for id_, checked in found}


def test_those_are_to_choose_from_who_have_the_address(family, browser) -> None:
    page = browser.get(f"/sessions/{family.session}").text
    assert f'href="{family.path}"' in page
    form = browser.get(family.path)
    assert form.status_code == 200
    assert choices(form.text) == dict.fromkeys(("leo", "mia", "tom"), False)
    assert "“Leo has a fever”" in form.text


def test_a_session_is_about_somebody_else_from_now_on(family, browser) -> None:
    answer = browser.post(family.path, patient="mia", act="all")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sessions/{family.session}")
    assert family.subjects() == {"a": "mia", "b": "mia"}
    family.take(("late", "08:05", "are you there?"), ("a", "08:00", "Leo has a fever"))
    assert family.subjects() == {"a": "mia", "b": "mia"}
    page = browser.get(answer.headers["location"]).text
    assert page.count("About Mia: a person on the pages has said so.") == 2
    (record,) = family.all("Provenance")[-1:]
    assert record["agent"] == [{"who": {"display": "A person on the pages"}}]


def test_one_message_is_about_somebody_else(family, browser) -> None:
    first = family.message("a")["id"]
    link = f"{family.path}?message={first}"
    assert f'href="{link}"' in browser.get(f"/sessions/{family.session}").text
    form = browser.get(link).text
    assert "Leo has a fever" in form
    assert "Mia coughs" not in form
    assert browser.post(link, patient="tom", message=first, act="some").status_code == 303
    assert family.subjects() == {"a": "tom", "b": "mia"}


def test_some_messages_are_about_several(family, browser) -> None:
    fields = {"patient": ["leo", "tom"], "message": family.message("b")["id"], "act": "some"}
    answer = browser.request("POST", family.path, data=fields)
    assert answer.status_code == 303
    group = {one["id"]: one for one in family.all("Group") if one.get("active") is not False}
    about = {member["entity"]["reference"] for one in group.values() for member in one["member"]}
    assert about == {"Patient/leo", "Patient/tom"}


def test_it_is_about_nobody(family, browser) -> None:
    assert browser.post(family.path, nobody="on", act="all").status_code == 303
    assert family.subjects() == {"a": "", "b": ""}
    page = browser.get(f"/sessions/{family.session}").text
    assert "A person on the pages has said that it is about none of them." in page


@pytest.mark.parametrize(
    ("name", "found"), [("ada", True), ("Ad", True), ("nobody", False), ("<b>", False)]
)
def test_somebody_else_is_found_by_name(family, browser, name: str, found: bool) -> None:
    answer = browser.post(family.path, patient="tom", name=name, act="find")
    assert answer.status_code == 200
    assert choices(answer.text) == {"leo": False, "mia": False, "tom": True} | (
        {"ada": False} if found else {}
    )
    assert ("No patient is called" in answer.text) is not found
    assert name in unescape(answer.text)
    assert "<b>" not in answer.text.partition("<form")[2].replace("<b><bdi>", "")
    assert family.subjects() == {"a": "leo", "b": "mia"}
    assert browser.post(family.path, patient="ada", act="all").status_code == 303
    assert family.subjects() == {"a": "ada", "b": "ada"}


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"act": "all"}, 400, "Choose whom it is about first."),
        ({"act": "all", "patient": "mia", "nobody": "on"}, 400, "and not both"),
        ({"act": "some", "patient": "mia"}, 400, "Tick the messages"),
        ({"patient": "mia"}, 400, "Press one of the buttons"),
        ({"act": "all", "patient": "none"}, 422, "There is no Patient/none."),
        ({"act": "all", "patient": "../x"}, 422, "There is no Patient/../x."),
        ({"act": "some", "patient": "mia", "message": "none"}, 422, "has no message"),
    ],
)
def test_a_mistake_is_told_and_what_was_chosen_stays(
    family, browser, fields: dict[str, str], status: int, says: str
) -> None:
    answer = browser.post(family.path, **fields)
    assert answer.status_code == status
    assert says in unescape(answer.text)
    assert choices(answer.text)["mia"] is (fields.get("patient") == "mia")
    assert family.subjects() == {"a": "leo", "b": "mia"}


def test_what_was_billed_stays(family, browser, put, store, run) -> None:
    (encounter,) = [e for e in family.all("Encounter") if "partOf" not in e]
    assert encounter["status"] == "finished"
    billed = {**encounter, "meta": {"tag": [codes.BILLED]}}
    page = run(store.read(DEFAULT_PROJECT, "Encounter", encounter["id"]))
    put(billed, before=page)
    answer = browser.post(family.path, patient="mia", act="all")
    assert answer.status_code == 422
    assert "has been billed" in answer.text
    assert family.subjects() == {"a": "leo", "b": "mia"}


@pytest.mark.parametrize(
    "headers", [{"origin": "https://other.example"}, {"sec-fetch-site": "cross-site"}]
)
def test_only_our_own_page_says_it(family, browser, headers: dict[str, str]) -> None:
    answer = browser.post(family.path, headers, patient="mia", act="all")
    assert answer.status_code == 403
    assert family.subjects() == {"a": "leo", "b": "mia"}


def test_nobody_says_it_without_signing_in(family, visitor) -> None:
    for answer in (visitor.get(family.path), visitor.post(family.path, patient="mia", act="all")):
        assert answer.status_code == 401
        assert "Leo" not in answer.text
    assert family.subjects() == {"a": "leo", "b": "mia"}


def test_a_form_that_is_none_of_ours_is_too_long(family, browser) -> None:
    answer = browser.request("POST", family.path, content=b"patient=" + b"x" * 2_000_000)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/sessions/none/about", "{about}?message=none", "{about}?message=m1"]
)
def test_there_is_no_form_for_what_is_not_there(practice, family, browser, path: str) -> None:
    ids = {e["id"] for e in family.all("Encounter") if "identifier" in e and "partOf" not in e}
    (imported,) = ids
    assert browser.get(path.format(about=f"/sessions/{imported}/about")).status_code == 404


@pytest.mark.parametrize("of", ["family", "medical-lena", "old"])
def test_what_no_import_made_has_a_subject_to_change(practice, browser, of: str) -> None:
    answer = browser.get(f"/sessions/{of}/about")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sessions/{of}")
    assert "/about" not in browser.get("/sessions/family").text


@pytest.mark.parametrize(
    ("reach", "after"),
    [
        ("message", {"a": "leo", "b": "ada", "c": "tom"}),
        ("rest", {"a": "leo", "b": "ada", "c": "ada"}),
        ("thread", {"a": "ada", "b": "ada", "c": "ada"}),
        ("nonsense", {"a": "leo", "b": "ada", "c": "tom"}),
    ],
)
def test_it_reaches_from_one_message_to_its_thread(
    family, browser, reach: str, after: dict[str, str]
) -> None:
    family.take(("c", "08:20", "Tom sneezes"))
    second = family.message("b")["id"]
    page = browser.get(f"{family.path}?message={second}").text
    assert page.count('name="reach"') == 3
    answer = browser.post(family.path, patient="ada", message=second, act="some", reach=reach)
    assert answer.status_code == 303
    now = {id_: family.message(id_)["subject"]["reference"] for id_ in "abc"}
    assert {id_: name.removeprefix("Patient/") for id_, name in now.items()} == after


def test_it_is_said_of_a_thread(family, browser) -> None:
    (header,) = [one for one in family.all("Communication") if "partOf" not in one]
    browser.post(family.path, patient="ada", act=f"thread:{header['id']}")
    assert family.subjects() == {"a": "ada", "b": "ada"}
    answer = browser.post(family.path, patient="ada", act="thread:none")
    assert (answer.status_code, "There is no Communication/none" in answer.text) == (422, True)

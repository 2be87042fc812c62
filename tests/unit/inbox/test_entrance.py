"""Signing in by password and code, setting a password by a link, and *Your account*."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mail_relay import Relay
from threadwell.access.memberships import find_membership
from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import Record
from threadwell.channels.account import Account
from threadwell.encounters import codes
from threadwell.fhir.stamp import now_ms
from threadwell.inbox.sign_in import new_link
from threadwell.intake.accounts import keep_account
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT, StoreFull
from threadwell.users import letters, passwords
from threadwell.users.changing import set_by_link, set_disabled
from threadwell.users.codes import code_at
from threadwell.users.inviting import Invitation, invite
from threadwell.users.keeping import user_of
from threadwell.users.password_links import Link
from threadwell.users.passwords import Hashing
from threadwell.users.settings import Cost
from threadwell.users.user import User

ROBIN = "robin@clinic.example.org"
PASSWORD = "four walls and a garden"
NEW = "pelican-orbit-mustard"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    hashing = Hashing(Cost(8, 1, 1))
    for module in ("site", "entrance", "account_page"):
        monkeypatch.setattr(f"threadwell.inbox.{module}.shared", lambda: hashing)
    yield
    hashing.close()


@pytest.fixture
def invited(practice: Any, run: Any) -> Link:
    asked = Invitation(ROBIN, profile="Practitioner/ines")
    made = run(invite(practice, DEFAULT_PROJECT, asked, author="", clock=now_ms))
    assert made.link is not None
    return made.link


@pytest.fixture
def robin(practice: Any, invited: Link, run: Any) -> Callable[[], User]:
    """The account as it is by now, of somebody with a password."""
    hashing = passwords.Hashing(Cost(8, 1, 1))
    run(set_by_link(practice, DEFAULT_PROJECT, invited, PASSWORD, hashing, now_ms))
    return lambda: run(user_of(practice, ROBIN))


def signs_in(browser: Any, password: str = PASSWORD, email: str = ROBIN, **headers: str) -> Any:
    return browser.post("/sign-in", headers, email=email, password=password)


def test_without_accounts_the_door_names_the_command(practice: Any, visitor: Any) -> None:
    assert "threadwell sign-in" in visitor.get("/").text


def test_somebody_signs_in_and_is_led_where_they_wanted(robin: Any, visitor: Any) -> None:
    shown = visitor.get("/sessions/family")
    assert shown.status_code == 401
    assert 'autocomplete="current-password"' in shown.text
    answer = signs_in(visitor)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions/family")
    cookies = answer.headers.get_list("set-cookie")
    assert all("HttpOnly" in one and "SameSite=lax" in one for one in cookies)
    assert "Signed in as" in visitor.get("/").text


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (ROBIN, "wrong"),
        (ROBIN, ""),
        ("nobody@clinic.example.org", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
        (f"{ROBIN}<script>alert</script>", PASSWORD),
    ],
)
def test_all_that_is_wrong_is_told_alike(
    robin: Any, visitor: Any, email: str, password: str
) -> None:
    answer = signs_in(visitor, password, email)
    assert answer.status_code == 401
    assert "The e-mail address or the password is wrong." in answer.text
    assert "<script>alert" not in answer.text
    assert visitor.get("/").status_code == 401


def test_who_is_disabled_is_out_at_once(practice: Any, robin: Any, visitor: Any, run: Any) -> None:
    signs_in(visitor)
    assert visitor.get("/").status_code == 200
    run(set_disabled(practice, DEFAULT_PROJECT, robin(), True))
    assert visitor.get("/").status_code == 401
    assert signs_in(visitor).status_code == 401


def test_after_many_wrong_ones_it_says_how_long_to_wait(robin: Any, visitor: Any) -> None:
    for _ in range(5):
        assert signs_in(visitor, "wrong").status_code == 401
    answer = signs_in(visitor)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert "try again in 1 second" in answer.text


def test_a_form_of_another_site_does_nothing(robin: Any, invited: Link, visitor: Any) -> None:
    evil = {"origin": "https://elsewhere.example"}
    for path in ("/sign-in", "/sign-in/code", invited.url(""), "/sign-out"):
        assert visitor.post(path, evil, email=ROBIN, password=PASSWORD).status_code == 403
    signs_in(visitor)
    assert visitor.post("/account", evil, act="end-others").status_code == 403


def test_an_invitation_sets_the_password(practice: Any, invited: Link, visitor: Any) -> None:
    path = invited.url("")
    assert ROBIN in visitor.get(path).text
    assert "not the same" in visitor.post(path, password=PASSWORD, again=NEW).text
    short = visitor.post(path, password="short", again="short")
    assert (short.status_code, "at least 15" in short.text) == (400, True)
    done = visitor.post(path, password=PASSWORD, again=PASSWORD)
    assert "Your password is set" in done.text
    assert visitor.get(path).status_code == 403
    assert visitor.post(path, password=NEW, again=NEW).status_code == 403
    assert signs_in(visitor).status_code == 303


def test_a_browser_that_is_known_is_let_in_while_others_wait(
    robin: Any, visitor: Any, new_visitor: Any
) -> None:
    signs_in(visitor)
    visitor.post("/sign-out")
    guesser = new_visitor("http://testserver")
    for _ in range(5):
        signs_in(guesser, "wrong")
    assert signs_in(guesser).status_code == 429
    assert signs_in(visitor).status_code == 303


def _act(visitor: Any, act: str, **form: str) -> Any:
    return visitor.post("/account", act=act, **form)


def _set_up(browser: Any) -> tuple[str, list[str]]:
    """Ask for a code from now on: the authenticator's secret and the recovery codes."""
    page = browser.get("/account").text
    assert '<svg width="' in page
    secret = re.search(r'name="secret" value="(\w+)"', page)[1]  # type: ignore[index]
    code = code_at(secret, now_ms())
    done = _act(browser, "add-factor", secret=secret, old=PASSWORD, code=code)
    assert done.status_code == 200, done.text
    return secret, re.findall(r"<li><code>([\w-]+)</code>", done.text)


def test_the_second_factor_is_asked_for(robin: Any, visitor: Any, new_visitor: Any) -> None:
    signs_in(visitor)
    secret, recovery = _set_up(visitor)
    assert len(recovery) == 10
    other = new_visitor("http://testserver")
    assert other.get("/sign-in/code").status_code == 303
    answer = signs_in(other)
    assert answer.headers["location"] == "/sign-in/code"
    assert other.get("/").status_code == 401
    assert 'autocomplete="one-time-code"' in other.get("/sign-in/code").text
    # The one by which it was set up was used.
    assert other.post("/sign-in/code", code=code_at(secret, now_ms())).status_code == 401
    assert other.post("/sign-in/code", code="000000").status_code == 401
    assert other.post("/sign-in/code", code=recovery[0]).status_code == 303
    assert other.get("/").status_code == 200
    assert other.post("/sign-in/code", code=recovery[1]).status_code == 401
    refused = _act(other, "drop-factor", old=PASSWORD, code=recovery[0])
    assert "wrong, or was used before" in refused.text
    assert robin().factor is not None
    assert "asks for no code" in _act(other, "drop-factor", old=PASSWORD, code=recovery[1]).text
    assert robin().factor is None


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"old": "wrong", "password": NEW, "again": NEW}, "The password is wrong."),
        ({"old": PASSWORD, "password": NEW, "again": "other"}, "not the same"),
        ({"old": PASSWORD, "password": "short", "again": "short"}, "at least 15"),
        ({}, "The password is wrong."),
    ],
)
def test_a_password_is_not_changed_by_mistake(
    robin: Any, visitor: Any, form: dict[str, str], says: str
) -> None:
    signs_in(visitor)
    before = robin()
    answer = _act(visitor, "password", **form)
    assert answer.status_code == 400
    assert says in answer.text
    assert robin() == before
    assert visitor.get("/").status_code == 200


def test_a_changed_password_signs_out_everywhere_but_here(
    robin: Any, visitor: Any, new_visitor: Any
) -> None:
    other = new_visitor("http://testserver")
    for browser in (visitor, other):
        signs_in(browser)
    done = _act(visitor, "password", old=PASSWORD, password=NEW, again=NEW)
    assert "You are signed out everywhere else." in done.text
    assert done.text.count(", this browser") == 1
    assert [one.get("/").status_code for one in (visitor, other)] == [200, 401]
    assert [signs_in(other, one).status_code for one in (PASSWORD, NEW)] == [401, 303]


def test_browsers_are_listed_and_ended(robin: Any, visitor: Any, new_visitor: Any) -> None:
    signs_in(visitor)
    others = [new_visitor("http://testserver") for _ in range(3)]
    for at, other in enumerate(others):
        signs_in(other, **{"user-agent": f"<b>Lynx</b> {at}"})
    page = visitor.get("/account").text
    assert "&lt;b&gt;Lynx&lt;/b&gt; 2" in page
    ids = re.findall(r'name="browser" value="(\w+)"', page)
    assert len(ids) == 3
    _act(visitor, "end", browser=ids[0])
    assert sum(one.get("/").status_code == 401 for one in others) == 1
    _act(visitor, "end-others")
    assert [one.get("/").status_code for one in others] == [401] * 3
    assert visitor.get("/").status_code == 200


def test_a_browser_that_a_link_signed_in_has_no_account(practice: Any, browser: Any) -> None:
    page = browser.get("/account")
    assert "There is no account to it." in page.text
    assert _act(browser, "password", old="x", password=NEW, again=NEW).status_code == 303


def test_an_invited_patient_does_not_see_the_practice(
    practice: Any, visitor: Any, run: Any
) -> None:
    asked = Invitation("leo@example.org", profile="Patient/lena")
    link = run(invite(practice, DEFAULT_PROJECT, asked, author="", clock=now_ms)).link
    visitor.post(link.url(""), password=PASSWORD, again=PASSWORD)
    signs_in(visitor, email="leo@example.org")
    assert run(find_membership(practice, DEFAULT_PROJECT, "Patient/lena")) is not None
    assert visitor.get("/sessions/family").status_code in (403, 404)


def test_who_has_forgotten_a_password_is_told_the_same_as_anybody(robin: Any, visitor: Any) -> None:
    assert "/resetpassword" in visitor.get("/sign-in").text
    assert visitor.get("/resetpassword").status_code == 200
    pages = [visitor.post("/resetpassword", email=one) for one in (ROBIN, "nobody@example.org")]
    assert {one.status_code for one in pages} == {200}
    assert pages[0].text == pages[1].text
    assert "threadwell user reset" in pages[0].text
    evil = {"origin": "https://elsewhere.example"}
    assert visitor.post("/resetpassword", evil, email=ROBIN).status_code == 403


def test_two_accounts_do_not_see_each_others_threads(
    practice: Any, put: Any, make_header: Any, new_visitor: Any, run: Any
) -> None:
    """What docs/users.md says, on the pages."""
    seen = {}
    for name in ("robin", "mo"):
        asked = Invitation(f"{name}@example.org", name.title(), "Ash", policy="participant")
        made = run(invite(practice, DEFAULT_PROJECT, asked, author="", clock=now_ms))
        session = {
            "resourceType": "Encounter",
            "id": f"session-{name}",
            "status": "in-progress",
            "class": codes.VIRTUAL,
            "type": [{"coding": [codes.SESSION_TAG]}],
            "subject": {"reference": "Patient/lena"},
            "period": {"start": "2024-03-12T11:58:00Z"},
        }
        head = make_header(f"thread-{name}", f"session-{name}", f"Of {name}")
        put(session, {**head, "recipient": [{"reference": made.member.profile}]})
        browser = new_visitor("http://testserver")
        browser.post(made.link.url(""), password=PASSWORD, again=PASSWORD)
        assert signs_in(browser, email=f"{name}@example.org").status_code == 303
        seen[name] = browser
    for name, other in (("robin", "mo"), ("mo", "robin")):
        assert seen[name].get(f"/sessions/session-{name}").status_code == 200
        assert seen[name].get(f"/sessions/session-{other}").status_code == 404
        listed = seen[name].get("/").text
        assert f"/sessions/session-{name}" in listed
        assert f"/sessions/session-{other}" not in listed


def recorded(browser: Any, run: Any) -> list[tuple[str, int, str, str]]:
    """What the trail has of signing in and out, oldest first; none of it has a secret."""

    async def all_() -> list[Record]:
        found = find(browser.trail, DEFAULT_PROJECT, Wanted())
        return [line.record async for line in found if line.record.act in ACTS]

    return [(one.act, one.status, one.by.who, one.asked) for one in run(all_())[::-1]]


ACTS = ("login", "account password", "account end-others", "account reset")
INES = "Practitioner/ines"


def test_who_comes_in_and_goes_is_recorded(robin: Any, visitor: Any, run: Any) -> None:
    signs_in(visitor, "not that one")
    signs_in(visitor, origin="https://elsewhere.example.com")
    signs_in(visitor)
    visitor.post("/account", act="end-others")
    visitor.post("/account", act="password", old=PASSWORD, password=NEW, again=NEW)
    visitor.post("/account", act="password", old="wrong", password=NEW, again=NEW)
    visitor.post("/sign-out")
    visitor.post("/sign-out")
    account = f"User/{robin().id}"
    assert recorded(visitor, run) == [
        ("login", 401, "", "/sign-in"),
        ("login", 403, "", "/sign-in"),
        ("login", 200, INES, "/sign-in"),
        ("account end-others", 200, INES, f"/account {account}"),
        ("account password", 200, INES, f"/account {account}"),
        ("login", 200, INES, "/sign-out"),
    ]


def test_a_link_is_recorded_without_what_is_secret_in_it(
    invited: Link, practice: Any, visitor: Any, run: Any
) -> None:
    path = run(new_link(practice, "http://testserver", who=INES)).removeprefix("http://testserver")
    visitor.post(path)
    visitor.post(path)
    told = f"/setpassword/{invited.id}/{invited.secret}"
    visitor.post(told, password=NEW, again=NEW)
    visitor.post(told, password=NEW, again=NEW)
    assert recorded(visitor, run) == [
        ("login", 200, INES, "/sign-in"),
        ("login", 403, "", "/sign-in"),
        ("account password", 200, INES, f"/setpassword User/{run(user_of(practice, ROBIN)).id}"),
        ("login", 403, "", "/setpassword"),
    ]


def test_a_link_that_was_asked_for_is_recorded_with_its_account(
    robin: Any, practice: Any, visitor: Any, run: Any, tmp_path: Path
) -> None:
    """Whoever asks has not shown who they are; of nobody's address there is nothing to record."""
    relay = Relay(tmp_path)
    values = {"smtp-host": f"127.0.0.1:{relay.port}", "smtp-tls": "no"}
    care = Address(AddressKind.EMAIL, "care@clinic.example.org")
    mail = Account("mail", "email", (care,), values, ("127.0.0.1",))
    run(keep_account(practice, DEFAULT_PROJECT, mail))

    async def asks(email: str) -> Any:
        answer = await visitor.client.request("POST", "/resetpassword", data={"email": email})
        await asyncio.gather(*letters._under_way)
        return answer

    for email in (ROBIN, "nobody@example.org"):
        assert run(asks(email)).status_code == 200
    relay.close()
    assert [one.recipients for one in relay.taken] == [[ROBIN]]
    account = f"User/{robin().id}"
    assert recorded(visitor, run) == [("account reset", 200, "", f"/resetpassword {account}")]


def test_who_cannot_be_recorded_is_not_let_in(
    robin: Any, visitor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreFull("no space left")

    monkeypatch.setattr(visitor.trail, "note", full)
    answer = signs_in(visitor)
    assert answer.status_code == 503
    assert "set-cookie" not in answer.headers

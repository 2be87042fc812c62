"""What changes an account over HTTP is recorded as what the page does is: of whom, and which."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from mail_relay import Relay
from tests.unit.api.test_account_trail import APP, FORM, SECRET, Watched
from tests.unit.api.test_people import PASSWORD, ROBIN, log_in, person, say, token
from threadwell.api.endpoints import table
from threadwell.app import live_channels
from threadwell.audit.record import Record
from threadwell.channels.account import Account
from threadwell.intake.accounts import keep_account
from threadwell.messages import Address, AddressKind
from threadwell.stores.contract import DEFAULT_PROJECT
from threadwell.users import letters
from threadwell.users.changing import add_factor, reset
from threadwell.users.codes import code_at, new_secret
from threadwell.users.inviting import Invitation, invite
from threadwell.users.keeping import user_of
from threadwell.users.password_links import Link
from threadwell.users.user import User

NEW = "pelican-orbit-mustard"
CARE = Address(AddressKind.EMAIL, "care@clinic.example.org")

pytestmark = pytest.mark.usefixtures("cheap_passwords")


class House(Watched):
    """One where Robin has an account that is two people, and is signed in by an app."""

    def __init__(self, new_api: Any, relay: Relay) -> None:
        super().__init__(new_api, channels=live_channels)
        values = {"smtp-host": f"127.0.0.1:{relay.port}", "smtp-tls": "no"}
        mail = Account("mail", "email", (CARE,), values, ("127.0.0.1",))
        self.api.run(keep_account(self.api.store, DEFAULT_PROJECT, mail))
        self.member = person(self.api)
        self.api.make("Patient")
        asked = Invitation(ROBIN, profile=f"Patient/{self.api.ids('Patient')[0]}")
        self.invite(asked)
        self.mine = self.signed_in()

    def invite(self, asked: Invitation) -> None:
        api = self.api
        api.run(invite(api.store, DEFAULT_PROJECT, asked, author="", clock=api.clock))

    def chosen(self) -> Any:
        begun = log_in(self.api).json()
        return self.say("auth/profile", login=begun["login"], profile=self.member.id)

    def signed_in(self) -> dict[str, Any]:
        got: dict[str, Any] = token(self.api, self.chosen().json()["code"]).json()
        return got

    def say(self, path: str, **body: str) -> Any:
        return say(self.api, f"/{path}", body)

    def as_robin(self, path: str, **body: str) -> Any:
        bearer = f"Bearer {self.mine['access_token']}"
        return say(self.api, f"/{path}", body, authorization=bearer)

    def form(self, path: str, **form: str) -> Any:
        body = "&".join(f"{name}={value}" for name, value in form.items())
        return say(self.api, f"/{path}", body.encode(), content_type=FORM)

    def robin(self) -> User:
        found = self.api.run(user_of(self.api.store, ROBIN))
        assert isinstance(found, User)
        return found

    def state(self) -> tuple[User, dict[str, bytes]]:
        """The account as it is kept, and the links that open it; not which code was the last."""
        robin = self.robin()
        if robin.factor is not None:
            robin = replace(robin, factor=replace(robin.factor, step=0))
        return robin, self.api.run(self.api.store.list_private("password-link"))

    def link(self) -> Link:
        api = self.api
        made = api.run(reset(api.store, DEFAULT_PROJECT, self.robin(), api.clock))
        assert isinstance(made, Link)
        return made

    def code(self) -> tuple[str, str]:
        """Have sign-ins ask for a code: its secret, and the code."""
        secret, now = new_secret(), self.api.clock()
        code = code_at(secret, now)
        store, robin = self.api.store, self.robin()
        assert self.api.run(add_factor(store, DEFAULT_PROJECT, robin, secret, code, now))
        self.api.clock.now += 60_000
        return secret, code_at(secret, self.api.clock())


def set_password(house: House) -> Callable[[], Any]:
    link = house.link()
    return lambda: house.say("auth/setpassword", id=link.id, secret=link.secret, password=NEW)


def change_password(house: House) -> Callable[[], Any]:
    path = "auth/changepassword"
    return lambda: house.as_robin(path, oldPassword=PASSWORD, newPassword=NEW)


def ask_reset(house: House) -> Callable[[], Any]:
    async def sent() -> Any:
        body = {"email": ROBIN}
        answer = await house.api.send("POST", "/auth/resetpassword", body, authorization=None)
        await asyncio.gather(*letters._under_way)
        return answer

    return lambda: house.api.run(sent())


def enroll(house: House) -> Callable[[], Any]:
    bearer = f"Bearer {house.mine['access_token']}"
    told = house.api.call("GET", "/auth/mfa/status", authorization=bearer).json()
    found = re.search(r"secret=([A-Z2-7]+)", told["enrollUri"])
    assert found is not None
    code = code_at(found[1], house.api.clock())
    return lambda: house.as_robin("auth/mfa/enroll", token=code)


def disable(house: House) -> Callable[[], Any]:
    _, code = house.code()
    return lambda: house.as_robin("auth/mfa/disable", token=code)


def verify(house: House) -> Callable[[], Any]:
    _, code = house.code()
    login = log_in(house.api).json()["login"]
    return lambda: house.say("auth/mfa/verify", login=login, token=code)


def revoke(house: House) -> Callable[[], Any]:
    bearer = f"Bearer {house.mine['access_token']}"
    house.api.clock.now += 1000
    house.signed_in()
    told = house.api.call("GET", "/auth/me", authorization=bearer).json()
    other = told["security"]["sessions"][-1]["id"]
    return lambda: house.as_robin("auth/revoke", loginId=other)


def choose(house: House) -> Callable[[], Any]:
    login = log_in(house.api).json()["login"]
    return lambda: house.say("auth/profile", login=login, profile=house.member.id)


def exchange(house: House) -> Callable[[], Any]:
    code = house.chosen().json()["code"]
    return lambda: token(house.api, code)


def of_client(path: str, **form: str) -> Callable[[House], Callable[[], Any]]:
    return lambda house: lambda: house.form(path, client_id=APP, client_secret=SECRET, **form)


#: Of each endpoint that is posted to: what it is recorded as, and how it is asked. What has no
#: place here says nothing of whose account it changes: give it one, and ``api.signing`` the word.
POSTED: dict[str, tuple[str, Callable[[House], Callable[[], Any]]]] = {
    "auth/login": ("login", lambda house: lambda: log_in(house.api)),
    "auth/method": ("login", lambda house: lambda: house.say("auth/method", email=ROBIN)),
    "auth/profile": ("login", choose),
    "auth/mfa/verify": ("login", verify),
    "auth/mfa/enroll": ("account add-factor", enroll),
    "auth/mfa/disable": ("account drop-factor", disable),
    "auth/changepassword": ("account password", change_password),
    "auth/resetpassword": ("account reset", ask_reset),
    "auth/setpassword": ("account password", set_password),
    "auth/revoke": ("account end", revoke),
    "oauth2/token": ("login", exchange),
    "oauth2/authorize": ("login", of_client("oauth2/authorize")),
    "oauth2/consent": ("login", of_client("oauth2/consent")),
    "oauth2/introspect": ("login", of_client("oauth2/introspect", token="any")),
    "oauth2/revoke": ("login", of_client("oauth2/revoke", token="any")),
    "oauth2/userinfo": ("login", lambda house: lambda: house.as_robin("oauth2/userinfo")),
    "oauth2/logout": ("login", lambda house: lambda: house.as_robin("oauth2/logout")),
}
#: What needs a browser, which there is not here.
NO_BROWSER = ("oauth2/authorize", "oauth2/consent")


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    one = Relay(tmp_path_factory.mktemp("relay"))
    yield one
    one.close()


@pytest.fixture
def house(new_api: Any, relay: Relay) -> House:
    return House(new_api, relay)


def test_every_endpoint_that_is_posted_to_has_its_place() -> None:
    several = [(one.pattern, methods) for one, methods in table._SEVERAL]
    there = {
        path
        for path, methods in [*table._PATHS.items(), *several]
        if path.startswith(("auth/", "oauth2/")) and set(methods) - {"GET"}
    }
    assert there == set(POSTED)


@pytest.mark.parametrize("path", POSTED)
def test_a_change_of_an_account_is_recorded_as_that(house: House, path: str) -> None:
    act, prepare = POSTED[path]
    ask = prepare(house)
    house.told()
    before = house.state()
    answer = ask()
    assert answer.status_code == 200 or path in NO_BROWSER, answer.text
    records = house.records()
    if act == "account reset":
        # Whoever asks has shown nothing: who they are is not told, and whose the link is.
        assert records[0].act == "login"
        assert [one.by.who for one in records] == ["", ""]
    else:
        assert len(records) == 1
    record = records[-1]
    assert (record.act, record.status) == (act, answer.status_code)
    if act == "login":
        assert house.state() == before, "it changes an account, and is recorded as a login"
        assert record.asked == path
        return
    assert record.asked == f"{path} User/{house.robin().id}"
    if act != "account reset":
        assert (record.by.who, record.by.name) == (house.member.profile, "Robin Ash")
    for secret in (PASSWORD, NEW, ROBIN):
        assert secret not in repr(records)


def refused(house: House, path: str, **body: str) -> Record:
    house.told()
    answer = house.as_robin(path, **body)
    (record,) = house.records()
    assert record.status == answer.status_code >= 400
    return record


def test_one_that_is_refused_is_recorded_as_what_it_was(house: House) -> None:
    who, named = house.member.profile, f"User/{house.robin().id}"
    wrong = {"oldPassword": "wrong", "newPassword": NEW}
    record = refused(house, "auth/changepassword", **wrong)
    assert (record.act, record.by.who) == ("account password", who)
    assert record.asked == f"auth/changepassword {named}"
    link = house.link()
    short = {"id": link.id, "secret": link.secret, "password": "short"}
    record = refused(house, "auth/setpassword", **short)
    assert (record.act, record.by.who) == ("account password", who)
    assert record.asked == f"auth/setpassword {named}"
    record = refused(house, "auth/setpassword", **short | {"secret": "made-up", "password": NEW})
    assert (record.act, record.by.who) == ("account password", "")
    assert record.asked == "auth/setpassword"
    record = refused(house, "auth/mfa/enroll", token="1")
    assert (record.act, record.by.who) == ("account add-factor", who)
    record = refused(house, "auth/revoke", loginId="made-up")
    assert (record.act, record.by.who) == ("account end", who)


def test_whose_token_a_client_takes_back_is_said(house: House) -> None:
    house.told()
    assert house.form("oauth2/revoke", token=house.mine["access_token"]).status_code == 200
    assert house.told() == [("login", house.member.profile, "", 200, "oauth2/revoke")]


def test_where_no_mail_goes_out_no_link_is_made(new_api: Any) -> None:
    here = Watched(new_api)
    person(here.api)
    here.told()
    assert say(here.api, "/auth/resetpassword", {"email": ROBIN}).status_code == 200
    assert here.told() == [("login", "", "", 200, "auth/resetpassword")]

"""An app in which people sign in, and the browser that they do it in."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from threadwell.api.clients import add_client
from threadwell.logins.login import Member
from threadwell.logins.people import Signed

BACK = "https://app.example.org/back?kept=1"
VERIFIER = "a-verifier-of-more-than-forty-three-characters"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
FORM = "application/x-www-form-urlencoded"


class Browser:
    """Who is signed in in the one browser that there is (``logins.people.Browsers``)."""

    def __init__(self) -> None:
        self.signed: Signed | None = None
        self.url = ""

    async def signed_in(self, cookies: Any) -> Signed | None:
        return self.signed if cookies.get("c") == "1" else None

    def sign_in_url(self, back: str) -> str:
        return f"/sign-in?{urlencode({'next': back})}" if self.url else ""


class App:
    """A registered app of ``api``, with a person signed in in the browser."""

    def __init__(self, api: Any, browser: Browser, **registered: Any) -> None:
        self.api = api
        self.browser = browser
        more = {"public": True, "redirect_uris": (BACK,), **registered}
        self.client = api.run(add_client(api.store, "Flow", admin=False, **more))
        self.person = api.make("Practitioner", name=[{"family": "Bell", "given": ["Ann"]}])
        self.sign_in(f"Practitioner/{self.person['id']}")

    @property
    def id(self) -> str:
        return str(self.client.client_id)

    def sign_in(self, profile: str) -> None:
        member = Member(profile, "User/1", "m-1", "Ann Bell")
        self.browser.signed = Signed(member, ("pwd", "otp"), self.api.clock.now)

    def authorize(self, method: str = "GET", **changed: str | None) -> httpx.Response:
        """The answer to an authorization request; ``None`` leaves a parameter out."""
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": BACK,
            "scope": "openid fhirUser offline_access",
            "state": "st&te",
            "nonce": "once",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        asked = {name: value for name, value in (usual | changed).items() if value is not None}
        if method == "GET":
            return self.browse("GET", f"/oauth2/authorize?{urlencode(asked)}")
        return self.browse("POST", "/oauth2/authorize", asked)

    def browse(self, method: str, path: str, form: Any = None, **headers: str) -> httpx.Response:
        body = None if form is None else urlencode(form).encode()
        given = {"cookie": "c=1", "authorization": None, **headers}
        if body is not None:
            given["content_type"] = FORM
        return self.api.call(method, path, body, **given)

    def agree(self, page: httpx.Response, decision: str = "agree", **form: str) -> httpx.Response:
        """Press a button of the page of consent."""
        found = re.findall(r'name="([^"]+)" value="([^"]*)"', page.text)
        fields = {name: value for name, value in found if name != "decision"}
        return self.browse("POST", "/oauth2/consent", {**fields, "decision": decision, **form})

    @staticmethod
    def told(answer: httpx.Response) -> dict[str, str]:
        """What an answer leads back with."""
        assert answer.status_code == 303, answer.text
        url = answer.headers["location"]
        assert url.startswith(f"{BACK}&"), url
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    def code(self, **changed: str | None) -> str:
        return self.told(self.authorize(**changed))["code"]

    def token(self, basic: str | None = None, **form: str | None) -> httpx.Response:
        given = {name: value for name, value in form.items() if value is not None}
        body = urlencode(given).encode()
        return self.api.call("POST", "/oauth2/token", body, content_type=FORM, authorization=basic)

    def exchange(self, code: str, **changed: str | None) -> httpx.Response:
        usual: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.id,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
        }
        return self.token(**(usual | changed))

    def refresh(self, token: str, **changed: str | None) -> httpx.Response:
        usual = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.id}
        return self.token(**(usual | changed))

    def signed_in(self, **changed: str | None) -> dict[str, Any]:
        """The tokens of a login."""
        answer = self.exchange(self.code(**changed))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self, token: str, path: str = "Patient") -> int:
        return self.api.call("GET", path, authorization=f"Bearer {token}").status_code

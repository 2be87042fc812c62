"""``oauth2/authorize`` and ``oauth2/consent``: a person lets an app in, by signing in here.

Whoever is signed in in their browser is led back to the app with a code. Whoever is not is sent to
sign in first, and comes back. An app that is not the practice's own gets only what the person
agrees to; an app about a patient is told whom, by the person where nothing else says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode, urlsplit

from msgspec.structs import replace

from threadwell.api.context import Context
from threadwell.api.endpoints.oauth2.asking import (
    Asking,
    judged,
    known_client,
    led_back,
    moved,
    redirect,
    wants_patient,
)
from threadwell.api.endpoints.oauth2.forms import OAuthError, form_of, once
from threadwell.api.endpoints.oauth2.page import page
from threadwell.api.exchange import Answer, Request
from threadwell.api.signing import client_named, login_known
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError
from threadwell.fhir.search.references import split_reference
from threadwell.logins.login import Login, Member, Refused
from threadwell.logins.people import Signed

_UNKNOWN = (
    "The app that sent you here is not known to this server, or not under the address that it "
    "wants you to be led back to. Nothing was told to it."
)


async def authorize(context: Context, request: Request) -> Answer:
    """A redirect to the app, or to where one signs in; a page to agree on; 400 for what is not
    known.
    """
    try:
        form = once(request.query) if request.method != "POST" else form_of(request)
    except OAuthError as error:
        return page(400, "That is not possible", str(error))
    client = await known_client(context, form) if form is not None else None
    if form is None or client is None:
        return page(400, "That is not possible", _UNKNOWN)
    client_named(context, request, client)
    try:
        return await _answer(context, request, judged(context, client, form), form)
    except OAuthError as error:
        told = {"error": error.error, "error_description": str(error)}
        return redirect(context, form["redirect_uri"], form.get("state", ""), **told)


async def consent(context: Context, request: Request) -> Answer:
    """What somebody says on the page: they are led back with a code, or with ``access_denied``."""
    try:
        form = form_of(request)
    except OAuthError:
        form = None
    if form is None or not _is_from_here(context, request):
        return page(403, "That came from another site", "Please begin in the app again.")
    login = await context.logins.find(form.get("login", ""))
    signed = await _signed(context, request)
    if login is None or signed is None or login.member != signed.member or login.code_sha256:
        return page(403, "That took too long", "Please begin in the app again.")
    login_known(context, request, login)
    if form.get("decision") != "agree":
        await context.logins.end(login.id, "the person did not agree")
        told = {"error": "access_denied", "error_description": "The person did not agree"}
        return led_back(context, login.asked, **told)
    agreed = {value for name, value in form.items() if name.startswith("scope.")}
    plain = {"openid", "fhirUser", "profile", "launch/patient"}
    launch = login.asked.launch
    client = await context.access.client(login.asked.client)
    if client is None:
        return page(403, "That is not possible", _UNKNOWN)
    if wants_patient(login.asked) and not launch.get("patient"):
        patient = await _patient(context, login.member, form.get("patient", ""))
        if not patient:
            title = "There is no such patient whom you may see"
            return _asked(login, client.outside, title)
        launch = {**launch, "patient": patient}
    is_asked = client.outside
    try:
        code = await context.logins.code(login.id, agreed | plain if is_asked else None, launch)
    except Refused:
        return page(403, "That took too long", "Please begin in the app again.")
    return led_back(context, login.asked, code=code)


async def _answer(
    context: Context, request: Request, asking: Asking, form: Mapping[str, str]
) -> Answer:
    signed = await _signed(context, request)
    age = context.clock() - signed.since if signed is not None else 0
    is_too_old = asking.max_age is not None and age > asking.max_age * 1000
    if signed is None or is_too_old:
        if "none" in asking.prompts:
            raise OAuthError("login_required", "Nobody is signed in")
        url = context.browsers.sign_in_url(_path(form)) if context.browsers else ""
        return moved(url) if url else _sign_in_first()
    member = signed.member
    caller = await context.access.member(member)
    if caller is None:
        raise OAuthError("access_denied", "The person may not come in")
    launch = {}
    if wants_patient(asking.asked) and (patient := await _own_patient(context, member)):
        launch = {"patient": patient}
    must_name = wants_patient(asking.asked) and not launch
    has_page = asking.client.outside or must_name or "consent" in asking.prompts
    if has_page and "none" in asking.prompts:
        raise OAuthError("interaction_required", "The person has to be asked")
    agent = request.headers.get(b"user-agent", b"").decode("latin-1")
    asked = replace(asking.asked, launch=launch)
    login = await context.logins.begin(asked, agent=agent, generation=asking.client.generation)
    login = await context.logins.authenticated(login.id, member, signed.methods)
    login_known(context, request, login)
    if has_page:
        return _asked(login, asking.client.outside, f"{asking.client.name} asks you")
    return led_back(context, asked, code=await context.logins.code(login.id))


def _asked(login: Login, outside: bool, title: str) -> Answer:
    must_name = wants_patient(login.asked) and not login.asked.launch.get("patient")
    said = (
        "It is not the practice's own. If you agree, it may do what is marked, as far as you may:"
        if outside
        else "It is the practice's own app."
    )
    name = login.member.name if login.member else ""
    signed_in = [f"You are signed in as {name}."] if name else []
    return page(
        200,
        title,
        *signed_in,
        said,
        login=login.id,
        scopes=login.asked.scopes if outside else (),
        wants_patient=must_name,
        leads_to=login.asked.redirect_uri,
    )


async def _signed(context: Context, request: Request) -> Signed | None:
    if context.browsers is None:
        return None
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(request.headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return None
    given = {name: morsel.value for name, morsel in cookies.items()}
    return await context.browsers.signed_in(given)


async def _own_patient(context: Context, member: Member) -> str:
    """The id of the patient that somebody is, or whom they are related to; else ``""``."""
    type_, id_ = split_reference(member.profile)
    if type_ == "Patient":
        return id_
    if type_ != "RelatedPerson":
        return ""
    caller = await context.access.member(member)
    assert caller is not None
    stored = await context.seen_by(caller).view.read(context.project, type_, id_)
    if stored is None or stored.deleted:
        return ""
    named = decode(stored.body).get("patient", {}).get("reference", "")
    of, patient = split_reference(named)
    return patient if of == "Patient" else ""


async def _patient(context: Context, member: Member | None, text: str) -> str:
    """The id of the patient whom somebody has named, if they may see them; else ``""``."""
    caller = await context.access.member(member) if member is not None else None
    id_ = text.strip().removeprefix("Patient/")
    if caller is None or not id_:
        return ""
    try:
        stored = await context.seen_by(caller).view.read(context.project, "Patient", id_)
    except FhirError:
        return ""
    return id_ if stored is not None and not stored.deleted else ""


def _path(form: Mapping[str, str]) -> str:
    """The request as a path of ours, to come back to."""
    return f"/oauth2/authorize?{urlencode(form)}"


def _is_from_here(context: Context, request: Request) -> bool:
    """Whether a form was sent by a page of ours: browsers say so with every form."""
    if request.headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
        return False
    origin = request.headers.get(b"origin")
    if origin is None:
        return True
    own = {f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, context.served)}
    return origin.decode("latin-1") in own


def _sign_in_first() -> Answer:
    return page(
        401,
        "Sign in first",
        "Nobody is signed in in this browser. Open the link by which you sign in to Threadwell, "
        "and begin in the app again.",
    )

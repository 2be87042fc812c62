"""``auth/mfa/status``, ``enroll`` and ``disable``: the second factor of whoever asks."""

from __future__ import annotations

from threadwell.api.context import Context
from threadwell.api.endpoints.auth.bodies import body_of, person_of, refuse, text_of
from threadwell.api.endpoints.auth.login import signing_in
from threadwell.api.endpoints.plain_json import json_answer
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import OK, outcome_answer
from threadwell.api.signing import changes_account
from threadwell.api.whence import where_from
from threadwell.fhir.outcome import invalid
from threadwell.users.changing import add_factor, drop_authenticator
from threadwell.users.codes import secret_uri
from threadwell.users.offers import offered, withdraw
from threadwell.users.pauses import Paused
from threadwell.users.signing_in import Wrong


async def status(context: Context, request: Request) -> Answer:
    """Whether there is one; else what an authenticator reads to be one, for ten minutes."""
    _, user = await person_of(context, request)
    if user.has_authenticator:
        return json_answer(200, {"enrolled": True, "methods": ["totp"]})
    uri = secret_uri(await offered(context.whole, user, context.clock()), user.email)
    return json_answer(200, {"enrolled": False, "enrollUri": uri, "enrollQrCode": _picture(uri)})


async def enroll(context: Context, request: Request) -> Answer:
    """200 with the recovery codes, which are shown this once: sign-ins ask for a code from now."""
    changes_account(request, "add-factor")
    _, user = await person_of(context, request)
    token = text_of(body_of(request), "token", needed=True)
    if user.has_authenticator:
        raise invalid("There is a second factor already")
    store, now = context.whole, context.clock()
    secret = await offered(store, user, now)
    made = await add_factor(store, context.project, user, secret, token, now)
    if made is None:
        raise invalid("That is not the code that the authenticator shows now", "token")
    await withdraw(store, user)
    return json_answer(200, {"enrolled": True, "recoveryCodes": list(made.codes)})


async def disable(context: Context, request: Request) -> Answer:
    """200; sign-ins ask for a password alone again. It takes a code."""
    changes_account(request, "drop-factor")
    _, user = await person_of(context, request)
    token = text_of(body_of(request), "token", needed=True)
    if not user.has_authenticator:
        raise invalid("There is no second factor")
    try:
        await signing_in(context).by_code(user.id, user.epoch, token, where_from(request))
    except (Wrong, Paused) as error:
        refuse(error, "token")
    await drop_authenticator(context.whole, context.project, user)
    return outcome_answer(200, OK, request.headers)


def _picture(uri: str) -> str:
    import segno

    return str(segno.make(uri, error="m").png_data_uri(scale=6))

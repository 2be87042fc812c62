"""``GET storage/<id>/<version>``: a Binary's bytes by presigned URL."""

from __future__ import annotations

from urllib.parse import parse_qs

from threadwell.access.limited import Limited
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import forbidden
from threadwell.api.ranges import in_range
from threadwell.api.raw import raw
from threadwell.api.watched import by_url
from threadwell.audit.record import Touched
from threadwell.fhir.outcome import not_found


async def storage(context: Context, request: Request) -> Answer:
    """``?Expires=…&Signature=…``: the bytes, without a token, to whoever has the URL.

    With ``For=…`` they are there while they for whom it was made see the file.
    """
    _, id_, version_id = request.path.split("/")
    given = parse_qs(request.query)
    expires, signature = given.get("Expires", [""])[0], given.get("Signature", [""])[0]
    now = context.clock() // 1000
    who = given.get("For", [""])[0]
    if not context.signer.allows(f"{id_}/{version_id}", expires, signature, now, who):
        raise forbidden()
    if who:
        await _check(context, who, id_)
    stored = await context.whole.read_version(context.project, "Binary", id_, version_id)
    content = await context.whole.content(context.project, id_, version_id)
    if stored is None or content is None:
        raise not_found()
    shown = (Touched("Binary", id_, version_id),)
    context.trail.event(context.project, "file", by_url(request), asked="", touched=shown)
    answer = in_range(request, raw(stored, content))
    # One version never changes, and whoever has the URL may see it for as long.
    life = b"private, max-age=%d, immutable" % (int(expires) - now)
    cache = b"private, no-store" if who else life
    return answer._replace(headers=[*answer.headers, (b"cache-control", cache)])


async def _check(context: Context, who: str, id_: str) -> None:
    """Raise 403 unless they for whom a URL was made see the file now."""
    policy = await context.access.policy_of(who)
    if policy is None:
        return
    view = Limited(context.whole, context.project, policy, context.bases)
    if await view.read(context.project, "Binary", id_) is None:
        raise forbidden()

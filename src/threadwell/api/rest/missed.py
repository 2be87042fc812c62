"""``$events``: what a Subscription was about, from an event on that was told before.

An operation of the subscriptions backport. It answers what the socket tells: a Bundle of type
``history``, whose first entry is the SubscriptionStatus. Whoever asks is shown what they may see by
now, whatever was told then.
"""

from __future__ import annotations

from urllib.parse import urlencode

from threadwell.access.view import Whole
from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON
from threadwell.api.rest.parameters import parse_parameters
from threadwell.api.rest.read import existing
from threadwell.api.subscriptions.replaying import stretch
from threadwell.audit.witness import CURRENT
from threadwell.fhir.json import decode
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.subscriptions.criteria import Criteria, parse_criteria
from threadwell.subscriptions.notices import Told, answer

TYPE, NAME = "Subscription", "$events"
DEFINITION = (
    "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-events"
)
_SINCE, _UNTIL, _CONTENT = "eventsSinceNumber", "eventsUntilNumber", "content"
#: What is shown of each event: all of it, or its name alone.
_WHOLE, _BARE = "full-resource", frozenset({"empty", "id-only"})
#: How many times as many changes are looked through for who does not see everything.
_TIMES = 20


async def events(context: Context, request: Request) -> Answer:
    """200 with the events between two numbers, both included; without numbers with all of them.

    Where they are many the answer has a part of them, and a link to the ``next`` one. 400 for
    numbers that were told to nobody like the caller, 404 and 410 where there is no such
    Subscription, 422 for one whose criteria are no search by now.
    """
    view, project = context.view, context.project
    stored = existing(await view.read(project, TYPE, request.id))
    subscription = decode(stored.body)
    asked = await _asked(request)
    alone = asked.get(_CONTENT, _WHOLE) in _BARE
    criteria = await _criteria(context, str(subscription.get("criteria", "")))
    is_whole = isinstance(view, Whole)
    last = await context.whole.position(project)

    def position(name: str, otherwise: int) -> int:
        told = asked.get(name)
        return otherwise if told is None else context.numbers.position(told, last, whole=is_whole)

    after = max(position(_SINCE, 1) - 1, 0)
    until = min(position(_UNTIL, last), last)
    found, reached = await stretch(
        *(context.whole, project, view, criteria, after, until),
        size=context.max_page,
        # Where parts end would tell how much there is that is hidden.
        times=1 if is_whole else _TIMES,
    )
    witness = CURRENT.get()
    if witness is not None and is_whole and not alone:
        witness.saw_all(event.stored for event in found)

    def number(position: int) -> str:
        return context.numbers.of(position, whole=is_whole)

    links = {}
    if reached < until:
        further = {**asked, _SINCE: context.numbers.reached(reached + 1, whole=is_whole)}
        links["next"] = f"{context.fhir}/{TYPE}/{request.id}/{NAME}?{urlencode(further)}"
    told = [Told(number(event.position), event.stored, event.body) for event in found]
    content = answer(
        request.id,
        str(subscription.get("status", "active")),
        told,
        context.numbers.reached(max(reached, after), whole=is_whole),
        links,
        context.clock(),
        context.fhir,
        alone=alone,
    )
    return Answer(200, [JSON, (b"cache-control", b"no-store")], content)


async def _criteria(context: Context, text: str) -> Criteria:
    try:
        criteria = parse_criteria(text, bases=context.bases, now=context.clock)
    except FhirError as error:
        raise FhirError(422, error.issues) from None
    if not isinstance(context.view, Whole):
        context.view.check(criteria.type, "search")
        await criteria.check(context.view, context.project)
    return criteria


async def _asked(request: Request) -> dict[str, str]:
    given = await parse_parameters(request, _SINCE, _UNTIL, _CONTENT)
    asked = dict(given)
    if len(asked) < len(given):
        raise invalid(f"{NAME} takes each parameter once")
    if asked.get(_CONTENT, _WHOLE) not in {_WHOLE, *_BARE}:
        text = f"{_CONTENT} is {_WHOLE}, id-only or empty"
        raise FhirError(400, [Issue("value", text)])
    return asked

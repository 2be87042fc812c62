"""``$claim``, ``$release``, ``$reroute`` and ``$dismiss``: who takes care of a thread that waits.

Threadwell's own operations; ``guide/operations/`` defines them. A client that writes the Task
itself does the same by ``If-Match``.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from threadwell.api.context import Context
from threadwell.api.exchange import Answer, Request
from threadwell.api.outcomes import JSON, PRIVATE
from threadwell.api.params import parse_params
from threadwell.api.rest.acting import acting, stand_of
from threadwell.api.rest.read import existing
from threadwell.api.rest.said import concept, named_parameters, referred, words
from threadwell.encounters.codes import BASE
from threadwell.encounters.todo import Pool
from threadwell.fhir.outcome import FhirError, Issue, invalid
from threadwell.intake.patience import Contended
from threadwell.intake.todos.acting import (
    OWNERS,
    BadTodo,
    Taken,
    Todo,
    claim,
    dismiss,
    release,
    reroute,
)

#: The operations, each with the url of its OperationDefinition.
CLAIM, RELEASE, REROUTE, DISMISS = "$claim", "$release", "$reroute", "$dismiss"
DEFINITIONS = {
    name: f"{BASE}OperationDefinition/{name[1:]}" for name in (CLAIM, RELEASE, REROUTE, DISMISS)
}
#: The resource type that has them.
TYPE = "Task"

_OWNER_TYPES = tuple(one.removesuffix("/") for one in OWNERS)


async def claim_(context: Context, request: Request) -> Answer:
    """200 with the Task, whose owner is the one that is named from now on.

    409 where somebody else has it, in which case the outcome says who; 404 and 410 where there is
    no such Task, 422 where nothing waits.
    """
    asked = await _asked(context, request, ("owner",))
    if not asked.owner:
        raise invalid("Say who claims it: owner", "Parameters.parameter")
    return await _answer(context, request, partial(claim, owner=asked.owner))


async def release_(context: Context, request: Request) -> Answer:
    """200 with the Task, which is for its pool again; errors as ``claim_``."""
    asked = await _asked(context, request, ("reason",))
    return await _answer(context, request, partial(release, why=asked.why))


async def reroute_(context: Context, request: Request) -> Answer:
    """200 with the Task, which is another person's or another pool's; errors as ``claim_``."""
    asked = await _asked(context, request, ("owner", "pool", "reason"))
    act = partial(reroute, why=asked.why, owner=asked.owner, pool=asked.pool)
    return await _answer(context, request, act)


async def dismiss_(context: Context, request: Request) -> Answer:
    """200 with the Task, which is completed: no answer is needed; errors as ``claim_``."""
    asked = await _asked(context, request, ("reason",))
    return await _answer(context, request, partial(dismiss, why=asked.why))


@dataclass(slots=True)
class _Asked:
    """To whom, and why, as far as that is said."""

    owner: str = ""
    pool: Pool | None = None
    why: str = ""


async def _answer(
    context: Context, request: Request, act: partial[Coroutine[Any, Any, Todo]]
) -> Answer:
    store = await acting(context, request)
    name = f"{TYPE}/{request.id}"
    try:
        done = await act(stand_of(context, request, store), name)
    except Taken as error:
        raise FhirError(409, [Issue("conflict", str(error), "Task.owner")], "conflict") from None
    except BadTodo as error:
        raise FhirError(422, [Issue("business-rule", str(error))]) from None
    except Contended:
        raise FhirError(
            409, [Issue("conflict", "Conflict: please try again")], "conflict"
        ) from None
    stored = existing(await context.view.read(context.project, TYPE, request.id))
    headers = [JSON, PRIVATE, (b"etag", b'W/"%s"' % stored.version_id.encode())]
    assert done.task == name
    return Answer(200, headers, stored.body)


async def _asked(context: Context, request: Request, known: tuple[str, ...]) -> _Asked:
    """What the parameters ask for; raises 400."""
    asked = _Asked()
    name_of = request.path.rpartition("/")[2]
    for key, text in parse_params(request.query):
        if key != "reason" or key not in known:
            raise invalid(f"In the URL {name_of} takes only reason: {key[:64]} is for the body")
        asked.why = text.strip()
    for path, name, parameter in await named_parameters(request):
        if name not in known:
            raise invalid(f"Unknown parameter of {name_of}: {name[:64]}", path)
        match name:
            case "owner":
                asked.owner = referred(context, parameter, _OWNER_TYPES, path)
            case "pool":
                asked.pool = _pool(concept(parameter, path), path)
            case _:
                asked.why = words(parameter, path)
    return asked


def _pool(value: dict[str, Any], path: str) -> Pool:
    codings = value.get("coding")
    first = codings[0] if isinstance(codings, list) and codings else {}
    if not isinstance(first, dict) or not isinstance(first.get("code"), str):
        raise invalid("pool must be a CodeableConcept with a coding", path)
    return Pool(str(first.get("system", "")), first["code"], str(first.get("display", "")))

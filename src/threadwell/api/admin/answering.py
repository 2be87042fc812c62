"""The interactions with such things, one after the other: who may, what is found, what is written.

Only administrators without a policy of their own; whoever else asks gets the same 403 for what is
there and for what is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from threadwell.api.admin import clients, memberships, people, policies, project
from threadwell.api.admin.bodies import body_of
from threadwell.api.admin.kind import Kind
from threadwell.api.context import Context
from threadwell.api.etags import etag, not_modified
from threadwell.api.exchange import Answer, Request
from threadwell.api.oauth.access import LOOK
from threadwell.api.outcomes import JSON, OK, PRIVATE, NotAllowed, forbidden, outcome_answer
from threadwell.api.watched import who
from threadwell.audit.record import ADMINISTERED
from threadwell.fhir.json import BadJson, decode, encode
from threadwell.fhir.outcome import invalid, not_found, precondition_failed
from threadwell.fhir.patch import apply_patch, check_operations
from threadwell.fhir.resource import Resource

KINDS: Mapping[str, Kind] = {
    one.type: one
    for one in (clients.KIND, policies.KIND, memberships.KIND, people.KIND, project.KIND)
}
_MOST, _COUNT = 1_000, 20
#: Parameters that say how an answer is to look; those that are not named here change nothing.
_IGNORED = frozenset({"_sort", "_fields", "_elements", "_format", "_pretty"})


async def search(context: Context, request: Request) -> Answer:
    """A Bundle of those that are asked for; by ``GET``, or by a form to ``_search``."""
    await allowed(context, request)
    kind = _kind(request)
    given = parse_qsl(request.query, keep_blank_values=True)
    if request.method == "POST":
        form = request.body.decode(errors="replace")
        given += parse_qsl(form, keep_blank_values=True)
    wanted, shown = _asked(kind, given)
    found = [one for one in await kind.all(context) if _fits(kind, one, wanted)]
    return _bundle(context, kind, found, given, shown)


async def read(context: Context, request: Request) -> Answer:
    """The one of that id, 404 where there is none."""
    await allowed(context, request)
    found = await _found(context, request)
    version = found["meta"]["versionId"]
    if not_modified(request, version):
        return Answer(304, [PRIVATE, (b"etag", etag(version))], b"")
    return _answer(200, found)


async def create(context: Context, request: Request) -> Answer:
    """201, with what is shown this once."""
    await allowed(context, request)
    kind = _kind(request)
    if kind.create is None:
        raise NotAllowed(["GET"])
    body = _body(request, kind)
    made = await kind.create(context, request, body)
    await changed(context, request, f"{kind.type}/{made['id']}", 201)
    answer = _answer(201, made)
    location = f"{context.fhir}/{kind.type}/{made['id']}".encode()
    answer.headers.append((b"location", location))
    return answer


async def update(context: Context, request: Request) -> Answer:
    """200 with the one of that id as it is then; 404 where there is none."""
    await allowed(context, request)
    kind, current = _kind(request), await _found(context, request)
    body = _body(request, kind)
    if body.get("id") != current["id"]:
        raise invalid("Incorrect ID", f"{kind.type}.id")
    return await _updated(context, request, kind, current, body)


async def patch(context: Context, request: Request) -> Answer:
    """The same, by JSON Patch."""
    await allowed(context, request)
    kind, current = _kind(request), await _found(context, request)
    try:
        operations = check_operations(decode(request.body))
    except BadJson as error:
        raise invalid(f"Content could not be parsed: {error}") from None
    return await _updated(context, request, kind, current, apply_patch(current, operations))


async def delete(context: Context, request: Request) -> Answer:
    """200, also where it is not there any more."""
    await allowed(context, request)
    kind = _kind(request)
    if kind.delete is None:
        raise NotAllowed(["GET"])
    current = await kind.find(context, _id(request))
    if current is not None:
        _check_match(request, current)
        await kind.delete(context, request, current)
        await changed(context, request, request.path)
    return outcome_answer(200, OK, request.headers)


async def rotate_secret(context: Context, request: Request) -> Answer:
    """``ClientApplication/{id}/$rotate-secret``: with the new one, shown this once."""
    await allowed(context, request)
    id_ = request.path.split("/")[3]
    found = await clients.rotate(context, id_)
    await changed(context, request, request.path)
    return _answer(200, found)


async def allowed(context: Context, request: Request) -> None:
    """Raise ``FhirError`` 401, and 403 for who is no administrator."""
    caller = await context.access.caller(request.headers)
    request.caller = caller
    if not caller.admin or caller.policy is not None:
        raise forbidden()


async def changed(context: Context, request: Request, what: str, status: int = 200) -> None:
    """It holds from the next request on, in every worker of the server, and is recorded."""
    context.access.look_again()
    if context.load.meter.board.workers > 1:
        # Others look for themselves: whoever is answered has to be right wherever they ask next.
        await asyncio.sleep(1.2 * LOOK / 1000)
    asked = what.removeprefix("fhir/R4/")
    context.trail.event(context.project, ADMINISTERED, who(request), status=status, asked=asked)
    request.is_recorded = True


async def _updated(
    context: Context, request: Request, kind: Kind, current: Resource, body: Resource
) -> Answer:
    if kind.update is None:
        raise NotAllowed(["GET"])
    _check_match(request, current)
    made = await kind.update(context, request, current, body)
    await changed(context, request, request.path)
    return _answer(200, made)


def _kind(request: Request) -> Kind:
    return KINDS[request.path.split("/")[2]]


def _id(request: Request) -> str:
    return request.path.split("/")[3]


async def _found(context: Context, request: Request) -> Resource:
    found = await _kind(request).find(context, _id(request))
    if found is None:
        raise not_found()
    return found


def _check_match(request: Request, current: Resource) -> None:
    given = request.headers.get(b"if-match")
    tag = etag(current["meta"]["versionId"])
    if given is not None and given.strip() not in (b"*", tag, tag.removeprefix(b"W/")):
        raise precondition_failed()


def _body(request: Request, kind: Kind) -> Resource:
    body = body_of(request)
    if body.get("resourceType") != kind.type:
        raise invalid("Incorrect resource type", "resourceType")
    return body


def _asked(
    kind: Kind, given: list[tuple[str, str]]
) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    """The parameters with their modifiers, and how the answer is to look; raises 400."""
    wanted: list[tuple[str, str, str]] = []
    shown: dict[str, str] = {}
    for full, value in given:
        name, _, modifier = full.partition(":")
        if full in ("_count", "_offset", "_total", "_summary"):
            shown[full] = value
        elif name in kind.texts and modifier in ("", "contains", "exact"):
            wanted.append((name, modifier, value))
        elif (name in kind.exact or name == "_id") and not modifier:
            wanted.append((name, "exact", value))
        elif full not in _IGNORED:
            raise invalid(f"Unknown search parameter: {full}")
    return wanted, shown


def _fits(kind: Kind, one: Resource, wanted: list[tuple[str, str, str]]) -> bool:
    return all(
        any(_fits_one(kind, one, name, modifier, part) for part in value.split(","))
        for name, modifier, value in wanted
    )


def _fits_one(kind: Kind, one: Resource, name: str, modifier: str, value: str) -> bool:
    if name == "_id":
        return bool(one["id"] == value)
    if name in kind.exact:
        return value.strip() in kind.exact[name](one) or value.lower() in kind.exact[name](one)
    texts = kind.texts[name](one)
    if modifier == "exact":
        return value in texts
    folded = value.strip().casefold()
    if modifier == "contains":
        return any(folded in text.casefold() for text in texts)
    return any(word.startswith(folded) for text in texts for word in _words(text))


def _words(text: str) -> list[str]:
    folded = text.casefold()
    return [folded, *folded.split()]


def _bundle(
    context: Context,
    kind: Kind,
    found: list[Resource],
    given: list[tuple[str, str]],
    shown: Mapping[str, str],
) -> Answer:
    count = min(_number(shown, "_count", _COUNT), _MOST)
    if shown.get("_summary") == "count":
        count = 0
    offset = _number(shown, "_offset", 0)
    page = found[offset : offset + count]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    plain = [pair for pair in given if pair[0] not in ("_count", "_offset")]
    links = [("self", offset), ("first", 0)]
    if count and offset + count < len(found):
        links.append(("next", offset + count))
    bundle["link"] = [
        {
            "relation": relation,
            "url": f"{context.fhir}/{kind.type}?"
            + urlencode([*plain, ("_count", count), ("_offset", at)]),
        }
        for relation, at in links
    ]
    if page:
        bundle["entry"] = [
            {
                "fullUrl": f"{context.fhir}/{kind.type}/{one['id']}",
                "search": {"mode": "match"},
                "resource": one,
            }
            for one in page
        ]
    return Answer(200, [JSON, PRIVATE], encode(bundle))


def _number(shown: Mapping[str, str], name: str, default: int) -> int:
    text = shown.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 8):
        raise invalid(f"{name} must be a number", name)
    return int(text)


def _answer(status: int, found: Resource) -> Answer:
    tag = etag(found["meta"]["versionId"])
    return Answer(status, [JSON, (b"cache-control", b"no-store"), (b"etag", tag)], encode(found))

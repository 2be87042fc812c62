"""Which handler a request below the FHIR base is for (FHIR R4 §3.1.0.1.4, and operations)."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from threadwell.api import glass, watched
from threadwell.api.context import Context, Handler
from threadwell.api.exchange import Answer, Request
from threadwell.api.negotiation import check_format
from threadwell.api.outcomes import NotAllowed, forbidden
from threadwell.api.rest import (
    about,
    acts,
    audit_events,
    batch,
    binary,
    capability,
    create,
    delete,
    everything,
    export,
    expunging,
    history,
    import_,
    lastn,
    missed,
    patch,
    read,
    receipts,
    replies,
    sameness,
    search,
    search_across,
    split,
    subscriptions,
    taking_back,
    terminology,
    todos,
    turning,
    unsent,
    update,
    validate,
    versions,
    view_run,
)
from threadwell.audit.events import PREFIX
from threadwell.fhir.definitions import RESOURCE_TYPES
from threadwell.fhir.outcome import FhirError, Issue, not_found
from threadwell.fhir.search import compartments
from threadwell.fhir.search.references import is_id

Methods = Mapping[str, Handler]

_TYPE: Methods = {
    "GET": search.search,
    "POST": create.create,
    "PUT": update.update_where,
    "PATCH": patch.patch_where,
    "DELETE": delete.delete_where,
}
_EVERYTHING: Methods = {"GET": everything.everything, "POST": everything.everything}
#: Those of terminology, of a type and of one resource of it.
_OF_TERMINOLOGY: Mapping[tuple[str, str], Methods] = {
    of: {"GET": handler, "POST": handler} for of, handler in terminology.OPERATIONS.items()
}
#: Operations of a resource, by its type and their name.
_OWN: Mapping[tuple[str, str], Methods] = {
    **{(type_, about.NAME): {"POST": about.about} for type_ in about.TYPES},
    (acts.TYPE, acts.CLOSE): {"POST": acts.close},
    (acts.TYPE, acts.REOPEN): {"POST": acts.reopen},
    (split.TYPE, split.NAME): {"POST": split.split},
    (unsent.TYPE, replies.NAME): {"POST": replies.reply_in},
    (unsent.TYPE, taking_back.RETRACT): {"POST": taking_back.retract_},
    (unsent.TYPE, taking_back.CORRECT): {"POST": taking_back.correct},
    (todos.TYPE, todos.CLAIM): {"POST": todos.claim_},
    (todos.TYPE, todos.RELEASE): {"POST": todos.release_},
    (todos.TYPE, todos.REROUTE): {"POST": todos.reroute_},
    (todos.TYPE, todos.DISMISS): {"POST": todos.dismiss_},
    (unsent.TYPE, receipts.NAME): {"POST": receipts.mark},
    (unsent.TYPE, turning.CLOSE): {"POST": turning.close},
    (unsent.TYPE, turning.REOPEN): {"POST": turning.reopen},
    (unsent.TYPE, turning.ADD): {"POST": turning.add},
    (unsent.TYPE, turning.REMOVE): {"POST": turning.remove},
    (sameness.TYPE, sameness.NAME): {"POST": sameness.same},
    (subscriptions.TYPE, subscriptions.NAME): {"GET": subscriptions.binding_token},
    (missed.TYPE, missed.NAME): {"GET": missed.events, "POST": missed.events},
    ("Group", export.NAME): {"GET": export.export_group, "POST": export.export_group},
    **_OF_TERMINOLOGY,
}
_OWN_OF_TYPE: Mapping[tuple[str, str], Methods] = {
    (acts.TYPE, acts.OPEN): {"POST": acts.open_},
    (lastn.TYPE, lastn.NAME): {"GET": lastn.lastn, "POST": lastn.lastn},
    ("Patient", export.NAME): {
        "GET": export.export_patients,
        "POST": export.export_patients,
    },
    **_OF_TERMINOLOGY,
}
_TYPE_OPERATIONS: dict[str, Methods] = {
    "_history": {"GET": history.history_of_many},
    "_search": {"POST": search.search_by_form},
    "$validate": {"POST": validate.validate},
}
_INSTANCE: Methods = {
    "GET": read.read,
    "PUT": update.update,
    "PATCH": patch.patch,
    "DELETE": delete.delete,
}
_INSTANCE_OPERATIONS: dict[str, Methods] = {
    "_history": {"GET": history.history},
    expunging.NAME: {"POST": expunging.expunge},
    "$validate": {"GET": validate.validate, "POST": validate.validate},
}
_SEARCH: Methods = {"GET": search.search}
_SEARCH_BY_FORM: Methods = {"POST": search.search_by_form}
_ACROSS: Methods = {"GET": search_across.search}
_ACROSS_BY_FORM: Methods = {"POST": search_across.search_by_form}
_VERSION: Methods = {"GET": read.vread}

# A Binary is not always JSON.
_BINARY_TYPE: Methods = {**_TYPE, "POST": binary.create}
_BINARY_INSTANCE: Methods = {**_INSTANCE, "GET": binary.read, "PUT": binary.update}
_BINARY_VERSION: Methods = {"GET": binary.vread}


async def _graphql(context: Context, request: Request) -> Answer:
    # What reads the language is loaded by the first query: most servers are never asked one.
    from threadwell.api.graphql import answering

    return await answering.answer(context, request, perform)


# What happened is made of the trail, which nobody writes to.
_AUDIT_TYPE: Methods = {**_TYPE, "GET": audit_events.search}
_AUDIT_BY_FORM: Methods = {"POST": audit_events.search_by_form}
_AUDIT_INSTANCE: Methods = {"GET": audit_events.read}

#: Those that answer in other formats than FHIR's as well.
_CONTENTS = frozenset({binary.read, binary.vread, export.file, import_.file, view_run.run})
#: What would last longer than that somebody may act for another.
_NOT_FOR_ANOTHER = frozenset(
    {
        *(export.export, export.export_patients, export.export_group),
        *(export.status, export.end, export.file, subscriptions.binding_token),
        *(import_.import_, import_.status, import_.end, import_.file),
    }
)
#: Each handler's interaction, as FHIR calls it.
_INTERACTIONS: Mapping[Handler, str] = {
    read.read: "read",
    binary.read: "read",
    audit_events.read: "read",
    audit_events.search: "search",
    audit_events.search_by_form: "search",
    read.vread: "vread",
    binary.vread: "vread",
    history.history: "history",
    history.history_of_many: "history",
    search.search: "search",
    search.search_by_form: "search",
    search_across.search: "search",
    search_across.search_by_form: "search",
    create.create: "create",
    binary.create: "create",
    update.update: "update",
    update.update_where: "update",
    binary.update: "update",
    patch.patch: "patch",
    patch.patch_where: "patch",
    delete.delete: "delete",
    delete.delete_where: "delete",
    expunging.expunge: "delete",
    # What is counted as an operation changes nothing.
    about.about: "update",
    acts.open_: "update",
    acts.close: "update",
    acts.reopen: "update",
    split.split: "update",
    replies.reply_in: "create",
    taking_back.retract_: "update",
    taking_back.correct: "create",
    todos.claim_: "update",
    todos.release_: "update",
    todos.reroute_: "update",
    todos.dismiss_: "update",
    receipts.mark: "update",
    turning.close: "update",
    turning.reopen: "update",
    turning.add: "update",
    turning.remove: "update",
    sameness.same: "update",
    validate.validate: "operation",
    everything.everything: "operation",
    lastn.lastn: "operation",
    versions.versions: "operation",
    subscriptions.binding_token: "operation",
    missed.events: "operation",
    **dict.fromkeys(terminology.OPERATIONS.values(), "operation"),
    _graphql: "operation",
    view_run.run: "operation",
    export.export: "operation",
    export.export_patients: "operation",
    export.export_group: "operation",
    export.status: "operation",
    export.end: "operation",
    export.file: "operation",
    import_.import_: "create",
    import_.status: "operation",
    import_.end: "operation",
    import_.file: "operation",
    capability.metadata: "capabilities",
}


def perform(context: Context, request: Request) -> Coroutine[Any, Any, Answer]:
    """The answer to a request whose caller may ask, recorded.

    Raises ``FhirError`` where it is refused.
    """
    return watched.watched(context, request, _perform)


async def _perform(context: Context, request: Request) -> Answer:
    methods = _find(request)
    method = "GET" if request.method == "HEAD" else request.method
    handler = methods.get(method)
    if handler is None:
        raise NotAllowed(methods)
    # The content of a Binary has whatever type it has.
    if handler not in _CONTENTS:
        check_format(request)
    # Of a bundle only its body tells.
    request.interaction = _INTERACTIONS.get(handler, "other")
    context = glass.broken(context, request)
    watched.begins(context, request)
    context.view.check(request.type, request.interaction)
    if request.caller.through and handler in _NOT_FOR_ANOTHER:
        raise forbidden()
    return await handler(context, request)


async def _bundle(context: Context, request: Request) -> Answer:
    return await batch.perform_bundle(context, request, perform)


_SYSTEM: dict[str, Methods] = {
    "$graphql": {"GET": _graphql, "POST": _graphql},
    "": {"GET": search_across.search, "POST": _bundle},
    "_search": {"POST": search_across.search_by_form},
    "_history": {"GET": history.history_of_many},
    "metadata": {"GET": capability.metadata},
    "$versions": {"GET": versions.versions, "POST": versions.versions},
    export.NAME: {"GET": export.export, "POST": export.export},
    import_.NAME: {"POST": import_.import_},
}


def _find(request: Request) -> Methods:
    parts = request.path.split("/")
    type_, count = parts[0], len(parts)
    if type_ not in RESOURCE_TYPES:
        if request.path in _SYSTEM:
            return _SYSTEM[request.path]
        for find in (export.find, import_.find, view_run.find):
            if (found := find(request)) is not None:
                return found
        raise _unknown(type_)
    request.type = type_
    is_binary = type_ == "Binary"
    if type_ == audit_events.TYPE and (methods := _find_audit(request, parts)) is not None:
        return methods
    if count == 1:
        return _BINARY_TYPE if is_binary else _TYPE
    if count == 2 and parts[1] == "$everything" and type_ in everything.OF_ALL:
        return _EVERYTHING
    if count == 2 and parts[1][:1] in ("$", "_"):
        return _known(_OWN_OF_TYPE.get((type_, parts[1])) or _TYPE_OPERATIONS.get(parts[1]))
    request.id = parts[1]
    if count == 2:
        return _BINARY_INSTANCE if is_binary else _INSTANCE
    if count == 3:
        if parts[2] == "$everything" and type_ in everything.TYPES:
            return _EVERYTHING
        if (type_, parts[2]) in _OWN:
            return _OWN[type_, parts[2]]
        if type_ in compartments.OF and (
            parts[2] in RESOURCE_TYPES or parts[2] in ("*", "_search")
        ):
            return _compartment(request, parts)
        return _known(_INSTANCE_OPERATIONS.get(parts[2]))
    if count == 4 and parts[2] == "_history":
        request.version = parts[3]
        return _BINARY_VERSION if is_binary else _VERSION
    if count == 4 and parts[3] == "_search" and type_ in compartments.OF:
        return _compartment(request, parts)
    raise not_found()


def _find_audit(request: Request, parts: Sequence[str]) -> Methods | None:
    """Those of AuditEvents that differ from other types' methods."""
    if len(parts) == 1:
        return _AUDIT_TYPE
    if parts[1:] == ["_search"]:
        return _AUDIT_BY_FORM
    if parts[1].startswith(PREFIX):
        request.id = parts[1]
        if len(parts) == 2:
            return _AUDIT_INSTANCE
        if len(parts) == 4 and parts[2] == "_history":
            request.version = parts[3]
            return _AUDIT_INSTANCE
        raise not_found()
    return None


def _compartment(request: Request, parts: Sequence[str]) -> Methods:
    """``Patient/1/Communication`` or ``Patient/1/*``, each by a form as well (§2.7)."""
    if not is_id(parts[1]):
        raise not_found()
    request.compartment, request.id = f"{parts[0]}/{parts[1]}", ""
    request.type = parts[2]
    by_form = parts[-1] == "_search"
    if parts[2] == audit_events.TYPE:
        return _AUDIT_BY_FORM if by_form else {"GET": audit_events.search}
    if parts[2] in RESOURCE_TYPES:
        return _SEARCH_BY_FORM if by_form else _SEARCH
    request.type = ""
    if parts[2] not in ("*", "_search"):
        raise not_found()
    return _ACROSS_BY_FORM if by_form else _ACROSS


def _known(methods: Methods | None) -> Methods:
    if methods is None:
        raise not_found()
    return methods


def _unknown(name: str) -> FhirError:
    what = f"Unknown resource type: {name}" if name.isalpha() and len(name) < 64 else "Not found"
    return FhirError(404, [Issue("not-supported", what)], "not-found")

"""Everything that a person can ask the pages about what is hidden from them.

Every route of the pages is here, by its path; ``test_desk`` compares these with the application's
own routes, so a page that is new fails the suite until it has its cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from tests.unit.access.desk_world import CHAT, EXTRA
from tests.unit.access.world import NAMES, key


class Asked(NamedTuple):
    """A request of a browser; ``route`` is the path of the route that it is for."""

    method: str
    route: str
    path: str
    form: Mapping[str, Any] | None = None


#: Words that only what is hidden says, and what finds it.
_TELLING = ("Secret", "Not for them", "Cleve", "Cleo", "+15550177", "secret-77")
_DAYS = {"from": "2024-02-01", "to": "2024-02-02"}
#: What is added to the address of each page, with ``{hidden}`` for the id of what is.
_QUERIES: Mapping[str, tuple[str, ...]] = {
    "/": (
        *(f"waiting={name}" for name in ("us", "them", "mine", "nobodys")),
        *(f"status={name}" for name in ("open", "finished", "superseded")),
        *("patient={hidden}", "review=1", "channel=email", "cursor=last"),
        *("from=2024-02-01&to=2024-02-02", "status=finished&cursor=last"),
    ),
    "/find": ("id={hidden}", "in=messages", "in=messages&patient={hidden}"),
    "/sessions/{id}": ("thread={hidden}&cursor=last",),
    "/sessions/{id}/about": ("message={hidden}",),
    "/sessions/{id}/split": (),
    "/sessions/{id}/messages/{message}": (),
    "/sessions/{id}/threads/{thread}": ("done=close",),
    "/patients/{id}": (),
    "/attachments/{id}": (),
    "/reviews": ("cursor=last",),
    "/reviews/{id}": (),
    "/reviews/{id}/session": (),
    "/quarantine": ("dismissed=1", "cursor=last", "placed=1"),
    "/quarantine/{id}": (),
    "/quarantine/{id}/person": (),
    "/deliveries": ("done=drop",),
    "/find/{name}": ("before=5",),
    "/account": (),
}
#: Routes that show nothing of a practice, or go on for ever; the news have a test of their own.
OTHERS = {
    *(
        "/news",
        "/sign-in",
        "/sign-in/project",
        "/sign-in/code",
        "/sign-in/{token}",
        "/sign-out",
        "/static/{name}",
    ),
    *("/setpassword/{id}/{secret}", "/resetpassword"),
    *("/sign-in/passkey", "/sign-in/passkey/begin"),
    *("/sign-in/with/{provider}", "/sign-in/back/{provider}"),
    *("/setpassword/{id}/{secret}/with/{provider}", "/sign-in/out/{provider}"),
    *("/sign-in/code/passkey", "/sign-in/code/passkey/begin"),
}
#: What each form may say: fields that stand for what is hidden, beside what the button says.
_FORMS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "/find": (
        *({"name": text} for text in _TELLING),
        *({"name": text, "in": "messages"} for text in _TELLING),
        {"in": "messages", "patient": "Cleve", **_DAYS},
        {"in": "messages", "patient": "Cleo", "of": "{hidden}"},
    ),
    "/sessions/{id}": (
        *({"act": act, "why": "x"} for act in ("close", "reopen", "nothing")),
        *(
            {"act": act, "task": "{hidden}", "owner": NAMES["dunn"], "why": "x"}
            for act in ("claim", "release", "reroute", "dismiss")
        ),
        *({"act": act, "thread": "{hidden}", "text": "x"} for act in ("reply", "draft")),
        *({"act": act, "draft": "{hidden}", "thread": "{hidden}"} for act in ("discard", "draft")),
        {"act": "saved", "saved": "greeting", "thread": "{hidden}"},
        *({"act": act, "letter": "x", "message": "{hidden}"} for act in ("resend", "drop")),
    ),
    "/sessions/{id}/about": (
        {"act": "all", "patient": "{hidden}"},
        {"act": "find", "name": "Cleve"},
        {"act": "some", "patient": NAMES["ada"].partition("/")[2], "message": "{hidden}"},
        {"act": "thread:{hidden}", "patient": NAMES["ada"].partition("/")[2]},
        {"act": "some", "patient": "{hidden}", "message": "{hidden}", "reach": "thread"},
    ),
    "/sessions/{id}/split": (
        {"act": "split", "about-{hidden}": "{hidden}"},
        {"act": "find", "name": "Cleve"},
    ),
    "/sessions/{id}/messages/{message}": tuple(
        {"act": act, "text": "x", "why": "x"} for act in ("correct", "retract", "again")
    ),
    "/sessions/{id}/threads/{thread}": (
        *({"act": act, "why": "x"} for act in ("close", "reopen")),
        *({"act": f"{act} {NAMES['cleo']}"} for act in ("add", "remove")),
        {"act": "find", "name": "Cleve"},
    ),
    "/patients/{id}": ({"why": "x"}, {"thread": "{hidden}"}),
    "/quarantine": tuple(
        {"held": "{hidden}", "act": act}
        for act in ("release", "patients", "dismiss", "again", "same", "another")
    ),
    "/typing": ({}, {"stopped": "1"}),
    "/deliveries": tuple({"id": "x", "act": act} for act in ("replay", "drop")),
    "/quarantine/{id}/person": (
        {"act": "theirs", "who": NAMES["cleo"]},
        {"act": "new", "given": "New"},
        {"act": "relative", "who": NAMES["cleo"], "rgiven": "New", "relationship": "aunt"},
        {"act": "find", "name": "Cleve"},
    ),
    "/account": (
        {"act": "end", "browser": "{hidden}"},
        *(
            {"act": f"{act}-passkey", "passkey": "{hidden}", "name": "x"}
            for act in ("name", "drop")
        ),
    ),
    "/account/passkey/begin": ({},),
    "/reviews/{id}": (
        *({"act": act, "patient": "{hidden}"} for act in ("say", "next", "dismiss")),
        {"who": NAMES["cleo"], "for": "address"},
    ),
}


def asked(hidden: tuple[str, ...]) -> Iterator[Asked]:
    """Every request about those hidden resources; those that may write come last."""
    ids = [*(key(name).id for name in hidden), *EXTRA_IDS.values()]
    yield from _gets(ids)
    yield from _posts(ids)


EXTRA_IDS = {name: one["id"] for name, one in EXTRA.items()}
#: What some roles see, to lead from.
_SEEN = {
    "id": ("one-session", "one-care", "ada", "one-todo", "one-file"),
    "message": ("one-said", "one-old"),
    "thread": ("one",),
}


def _gets(ids: list[str]) -> Iterator[Asked]:
    for route, queries in _QUERIES.items():
        for path in _paths(route, ids):
            yield Asked("GET", route, path)
            for query in queries:
                some = ids if "{hidden}" in query else [""]
                yield from (
                    Asked("GET", route, f"{path}?{query.replace('{hidden}', one)}") for one in some
                )


def _posts(ids: list[str]) -> Iterator[Asked]:
    for route, forms in _FORMS.items():
        for path, form in product(_paths(route, ids), forms):
            some = ids if "{hidden}" in str(form) else [""]
            for one in some:
                said = {
                    name.replace("{hidden}", one): value.replace("{hidden}", one)
                    for name, value in form.items()
                }
                yield Asked("POST", route, path, said)


def _paths(route: str, ids: list[str]) -> Iterator[str]:
    """The addresses of a route: of what is hidden, and of what is below what is seen."""
    if route == "/typing":
        yield from (f"/typing?thread={name}" for name in ("chat:one", "chat:two"))
        return
    if "{" not in route:
        yield route
        return
    for kind in ("message", "thread"):
        if f"{{{kind}}}" in route:
            seen = [key(name).id for name in _SEEN["id"][:1]]
            own = [key(name).id for name in _SEEN[kind]]
            for id_, part in [*product(seen, ids), *product(ids[:4], [*own, *ids[:4]])]:
                yield route.replace("{id}", id_).replace(f"{{{kind}}}", part)
            return
    some = [*ids, *(key(name).id for name in _SEEN["id"])]
    yield from (route.replace("{id}", one).replace("{name}", one) for one in some)


__all__ = ["CHAT", "OTHERS", "Asked", "asked"]

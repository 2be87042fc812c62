"""Whole requests: what the CapabilityStatement names, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from bench.faults.hostile import expressions, resources, values

FHIR = "/fhir/R4"
_JSON = "application/fhir+json"
_PATCH = "application/json-patch+json"


@dataclass(frozen=True)
class Sent:
    """One request as it goes over the wire, but for who asks; ``kind`` is what made it."""

    kind: str
    method: str
    target: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Grammar:
    """What a server says that it can do, and what there is in it.

    ``params`` has the search parameters of each type, with their types; ``operations`` those at
    each type, "" for the system; ``endpoints`` paths of the server that are no FHIR.
    """

    params: Mapping[str, Sequence[tuple[str, str]]]
    includes: Sequence[str]
    operations: Sequence[tuple[str, str]]
    references: Sequence[str]
    bodies: Sequence[dict[str, Any]]
    endpoints: Sequence[str]
    #: Types of which something is there: most requests are about these.
    there: Sequence[str] = field(default=())

    def make(self, chance: Random) -> Sent:
        """One request."""
        (kind,) = chance.choices(list(_KINDS), [weight for weight, _ in _KINDS.values()])
        made = _KINDS[kind][1](self, chance)
        return Sent(kind, made.method, made.target, made.body, (*made.headers, *_headers(chance)))


def read_grammar(
    capability: Mapping[str, Any], bodies: Sequence[dict[str, Any]], endpoints: Sequence[str]
) -> Grammar:
    """The grammar of a server with this CapabilityStatement that holds these resources."""
    rest = capability["rest"][0]
    params = {
        one["type"]: [(p["name"], p["type"]) for p in one.get("searchParam", ())]
        for one in rest["resource"]
    }
    includes = sorted(
        {
            include
            for one in rest["resource"]
            for member in ("searchInclude", "searchRevInclude")
            for include in one.get(member, ())
        }
    )
    operations = [("", one["name"]) for one in rest.get("operation", ())] + [
        (one["type"], operation["name"])
        for one in rest["resource"]
        for operation in one.get("operation", ())
        if operation["name"] != "validate" or one["type"] in ("Patient", "Bundle")
    ]
    references = [f"{one['resourceType']}/{one['id']}" for one in bodies]
    there = sorted({one["resourceType"] for one in bodies})
    return Grammar(params, includes, operations, references, bodies, endpoints, there)


def _type(grammar: Grammar, chance: Random) -> str:
    return chance.choice(grammar.there if chance.random() < 0.7 else list(grammar.params))


def _name(grammar: Grammar, chance: Random, type_: str, depth: int = 0) -> tuple[str, str]:
    """A search parameter of a type, maybe chained or reversed, with the type of its values."""
    name, kind = chance.choice(grammar.params[type_])
    roll = chance.random()
    if depth < 7 and kind == "reference" and roll < 0.5:
        target = _type(grammar, chance)
        rest, last = _name(grammar, chance, target, depth + 1)
        return f"{name}{chance.choice(('', f':{target}'))}.{rest}", last
    if depth < 7 and roll < 0.08:
        other = _type(grammar, chance)
        back = chance.choice(grammar.params[other])[0]
        rest, last = _name(grammar, chance, other, depth + 1)
        return f"_has:{other}:{back}:{rest}", last
    if roll > 0.85:
        return f"{name}:{chance.choice(values.MODIFIERS)}", chance.choice((kind, "token", "string"))
    return name, kind


def _result_param(grammar: Grammar, chance: Random, type_: str) -> tuple[str, str]:
    names = [name for name, _ in grammar.params[type_]]
    word = values.odd(chance)
    number = chance.choice(("0", "1", "5", "-1", "1000", "99999999999999999999", "x", "", "1.5"))
    include = chance.choice((*grammar.includes, "*", f"{type_}:*", "x", "::", f"{type_}:x:y:z"))
    return chance.choice(
        (
            ("_count", number),
            ("_offset", number),
            (
                "_sort",
                ",".join(chance.choice(("", "-", "--")) + n for n in chance.choices(names, k=3)),
            ),
            ("_sort", word),
            ("_include", include),
            ("_include:iterate", include),
            ("_revinclude", include),
            ("_revinclude:iterate", include),
            ("_summary", chance.choice(("true", "false", "text", "data", "count", "x", ""))),
            ("_elements", chance.choice(("id", "status,subject", "x", "Patient.name", word))),
            ("_fields", chance.choice(("id", "status", word))),
            ("_total", chance.choice(("none", "estimate", "accurate", "x"))),
            ("_format", chance.choice(("json", "xml", "ttl", _JSON, "text/html", word))),
            ("_pretty", chance.choice(("true", "x"))),
            ("_cursor", word),
            ("_since", values.value(chance, "date", grammar.references)),
            ("_at", values.value(chance, "date", grammar.references)),
            ("_type", chance.choice((type_, f"{type_},Patient", "Nothing", word))),
            ("_contained", chance.choice(("true", "both", "x"))),
            ("_query", "x"),
            ("_text", word),
            ("_content", word),
            ("_list", word),
            ("_has", word),
            (word, word),
        )
    )


def _usual(grammar: Grammar, chance: Random, type_: str) -> tuple[str, str]:
    """A parameter of the result that a client would send."""
    about = [one for one in grammar.includes if one.startswith(f"{type_}:")] or ["*"]
    back = [one for one in grammar.includes if one.split(":")[0] in grammar.there]
    return chance.choice(
        (
            ("_count", chance.choice(("1", "5", "1000"))),
            ("_sort", chance.choice(("_lastUpdated", "-_lastUpdated", "_id"))),
            (f"_include{chance.choice(('', ':iterate'))}", chance.choice(about)),
            ("_revinclude", chance.choice(back)),
            ("_summary", chance.choice(("true", "count", "data"))),
            ("_elements", chance.choice(("id", "status,subject"))),
            ("_total", "accurate"),
            ("_format", "json"),
        )
    )


def _query(grammar: Grammar, chance: Random, type_: str) -> str:
    pairs: list[tuple[str, str]] = []
    # Half of the searches are such as clients send: what is odd in one hides what follows it.
    mild = chance.random() < 0.5
    for _ in range(chance.choice((0, 1, 1, 2, 3) if mild else (1, 2, 12))):
        name, kind = chance.choice(grammar.params[type_]) if mild else _name(grammar, chance, type_)
        pairs.append((name, values.value(chance, kind, grammar.references, mild=mild)))
    if mild:
        return _form(chance, [*pairs, *(_usual(grammar, chance, type_) for _ in range(2))])
    more = chance.choice((0, 1, 2, 6))
    pairs += [_result_param(grammar, chance, type_) for _ in range(more)]
    if chance.random() < 0.2:
        one = values.value(chance, "string", grammar.references)
        pairs.append(("_filter", expressions.filter_(chance, grammar.params[type_], one)))
    if chance.random() < 0.02:
        pairs *= chance.choice((20, 200))
    return _form(chance, pairs)


def _form(chance: Random, pairs: Sequence[tuple[str, str]]) -> str:
    text = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)[:12_000]
    if chance.random() < 0.03:
        text += chance.choice(
            (
                "&",
                "&&&",
                "=",
                "%",
                "%zz",
                "%00",
                "%ff%fe",
                "%C0%80",
                "&=&=",
                "?",
                ";a=b",
                "%ed%a0%80",
            )
        )
    return text


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe=":-._~|,$/")


def _search(grammar: Grammar, chance: Random) -> Sent:
    type_ = _type(grammar, chance)
    query = _query(grammar, chance, type_)
    roll = chance.random()
    if roll < 0.15:
        form = (("content-type", "application/x-www-form-urlencoded"),)
        return Sent(
            "",
            "POST",
            f"{FHIR}/{type_}/_search?{_query(grammar, chance, type_)}",
            query.encode(),
            form,
        )
    if roll < 0.25:
        return Sent("", "GET", f"{FHIR}/{chance.choice(grammar.references)}/{type_}?{query}")
    if roll < 0.3:
        return Sent("", "GET", f"{FHIR}?{query}")
    return Sent("", "GET", f"{FHIR}/{type_}?{query}")


def _one(grammar: Grammar, chance: Random) -> str:
    """A path to one resource, or to none."""
    known = chance.choice(grammar.references)
    odd = quote(values.odd(chance).encode("utf-8", "surrogatepass")[:300], safe="")
    type_ = _type(grammar, chance)
    return chance.choice(
        (known, known, known, f"{type_}/{odd}", f"{type_}/none", f"{odd}/x", f"{type_}/{'a' * 64}")
    )


def _read(grammar: Grammar, chance: Random) -> Sent:
    one = _one(grammar, chance)
    tail = chance.choice(
        (
            "",
            "",
            "/_history",
            "/_history/1",
            f"/_history/{_quoted(values.odd(chance))[:200]}",
            "/",
            "/x",
            "/_history/x/y",
        )
    )
    query = chance.choice(("", "", f"?{_query(grammar, chance, 'Patient')}"))
    return Sent(
        "", chance.choice(("GET", "GET", "GET", "HEAD", "DELETE")), f"{FHIR}/{one}{tail}{query}"
    )


def _history(grammar: Grammar, chance: Random) -> Sent:
    one = chance.choice(grammar.references)
    base = chance.choice((FHIR, f"{FHIR}/{_type(grammar, chance)}", f"{FHIR}/{one}"))
    if chance.random() < 0.3:
        return Sent("", "GET", f"{base}/_history?{_query(grammar, chance, 'Patient')}")
    moment = values.value(chance, "date", (), mild=chance.random() < 0.5).lstrip("abeglnqst")
    pairs = [
        ("_count", chance.choice(("1", "10", "1000"))),
        (chance.choice(("_since", "_at")), moment),
    ]
    return Sent("", "GET", f"{base}/_history?{_form(chance, pairs[: chance.randint(0, 2)])}")


def _body(grammar: Grammar, chance: Random) -> dict[str, Any]:
    made = (
        dict(chance.choice(grammar.bodies))
        if chance.random() < 0.6
        else resources.resource(chance, _type(grammar, chance), grammar.references)
    )
    return resources.damaged(chance, made) if chance.random() < 0.5 else made


def _write(grammar: Grammar, chance: Random) -> Sent:
    body = _body(grammar, chance)
    known = body.get("resourceType") if isinstance(body, dict) else None
    fits = isinstance(known, str) and known in grammar.params and chance.random() < 0.95
    type_ = str(known) if fits else _type(grammar, chance)
    sent = resources.encoded(chance, body)
    kind = (("content-type", _JSON),)
    roll = chance.random()
    if roll < 0.5:
        more: tuple[tuple[str, str], ...] = kind
        if chance.random() < 0.2:
            more = (*kind, ("if-none-exist", _query(grammar, chance, type_)))
        return Sent("", "POST", f"{FHIR}/{type_}", sent, more)
    if roll < 0.65:
        return Sent("", "PUT", f"{FHIR}/{type_}?{_query(grammar, chance, type_)}", sent, kind)
    if roll < 0.75:
        return Sent("", "POST", f"{FHIR}/{type_}/$validate", sent, kind)
    id_ = body.get("id") if isinstance(body, dict) else None
    one = (
        f"{type_}/{id_}"
        if isinstance(id_, str) and id_.isascii() and id_.isalnum()
        else _one(grammar, chance)
    )
    return Sent("", "PUT", f"{FHIR}/{one}", sent, kind)


def _patch(grammar: Grammar, chance: Random) -> Sent:
    one = _one(grammar, chance)
    if chance.random() < 0.3:
        value = chance.choice(("en", "de-CH", "x" * 200, None, 5, ["en"]))
        body: Any = [{"op": "add", "path": "/language", "value": value}]
        sound = resources.encoded(chance, body)
        known = chance.choice(grammar.references)
        return Sent("", "PATCH", f"{FHIR}/{known}", sound, (("content-type", _PATCH),))
    if chance.random() < 0.2:
        type_ = _type(grammar, chance)
        one = f"{type_}?{_query(grammar, chance, type_)}"
    if chance.random() < 0.4:
        parts = [
            {
                "name": "type",
                "valueCode": chance.choice(("add", "insert", "delete", "replace", "move", "x")),
            },
            {"name": "path", "valueString": expressions.fhirpath(chance)},
            {"name": "name", "valueString": chance.choice(("status", "name", "x", "id"))},
            {"name": "value", "valueString": "x"},
            {"name": "index", "valueInteger": chance.choice((0, -1, 10**9))},
        ]
        body: Any = {
            "resourceType": "Parameters",
            "parameter": [{"name": "operation", "part": parts}],
        }
        return Sent(
            "",
            "PATCH",
            f"{FHIR}/{one}",
            resources.encoded(chance, body),
            (("content-type", _JSON),),
        )
    paths = (
        "/status",
        "/name/0",
        "/name/-",
        "/",
        "",
        "x",
        "/a/b/c",
        "/~",
        "/~2",
        "/name/99999999999",
        "/id",
        "/meta",
    )
    body = [
        {
            "op": chance.choice(("add", "remove", "replace", "move", "copy", "test", "x")),
            "path": chance.choice(paths),
            "from": chance.choice(paths),
            "value": chance.choice(("x", None, 5, [], {"a": {}}, "a" * 2000)),
        }
        for _ in range(chance.choice((1, 1, 2, 40)))
    ]
    if chance.random() < 0.2:
        body = resources.damaged(chance, body)
    return Sent(
        "", "PATCH", f"{FHIR}/{one}", resources.encoded(chance, body), (("content-type", _PATCH),)
    )


def _bundle(grammar: Grammar, chance: Random) -> Sent:
    entries = []
    urns = [f"urn:uuid:00000000-0000-4000-8000-{n:012d}" for n in range(4)]
    for _ in range(chance.choice((0, 1, 2, 4, 12))):
        inner = chance.choice((_write, _write, _read, _search, _patch))(grammar, chance)
        url = inner.target.removeprefix(FHIR).lstrip("/")
        entry: dict[str, Any] = {"request": {"method": inner.method, "url": url}}
        if chance.random() < 0.8:
            body = _body(grammar, chance)
            if chance.random() < 0.3 and isinstance(body, dict):
                body["subject"] = {
                    "reference": chance.choice(
                        (*urns, "Patient?name=x", "Patient?", "#", urns[0] + "#a")
                    )
                }
            entry["resource"] = body
        if chance.random() < 0.6:
            entry["fullUrl"] = chance.choice(
                (*urns, "urn:oid:1.2", "x", "http://example.org/Patient/1")
            )
        if chance.random() < 0.2:
            entry["request"]["ifNoneExist"] = _query(grammar, chance, "Patient")
        entries.append(entry)
    body = {
        "resourceType": "Bundle",
        "type": chance.choice(("batch", "transaction", "transaction", "x")),
        "entry": entries,
    }
    if chance.random() < 0.3:
        body = resources.damaged(chance, body)
    return Sent("", "POST", FHIR, resources.encoded(chance, body), (("content-type", _JSON),))


def _operation(grammar: Grammar, chance: Random) -> Sent:
    if chance.random() < 0.3:
        return Sent("", "GET", f"{FHIR}/{_known_operation(grammar, chance)}")
    type_, name = chance.choice(grammar.operations)
    place = FHIR
    if type_:
        fitting = [one for one in grammar.references if one.startswith(f"{type_}/")]
        place = f"{FHIR}/{chance.choice((type_, chance.choice(fitting) if fitting else type_))}"
    if chance.random() < 0.4:
        return Sent("", "GET", f"{place}/${name}?{_operation_query(grammar, chance)}")
    parameter = []
    for _ in range(chance.choice((0, 1, 2, 4))):
        kind = chance.choice(
            (
                "valueString",
                "valueCode",
                "valueUri",
                "valueReference",
                "valueBoolean",
                "resource",
                "part",
                "x",
            )
        )
        value: Any = values.value(chance, "string", grammar.references)
        if kind == "valueReference":
            value = {"reference": chance.choice(grammar.references)}
        elif kind == "resource":
            value = _body(grammar, chance)
        parameter.append({"name": chance.choice(_OPERATION_PARAMS), kind: value})
    body: Any = {"resourceType": "Parameters", "parameter": parameter}
    if "view" in name:
        body = _view(chance)
    if chance.random() < 0.2:
        body = resources.damaged(chance, body)
    return Sent(
        "", "POST", f"{place}/${name}", resources.encoded(chance, body), (("content-type", _JSON),)
    )


def _known_operation(grammar: Grammar, chance: Random) -> str:
    """An operation with what it asks for: it goes all the way."""
    one = chance.choice(
        [r for r in grammar.references if r[:4] in ("Pati", "Enco")] or ["Patient/x"]
    )
    act, text = (
        "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        quote(values.odd(chance)[:200].encode()),
    )
    set_ = (
        f"http://hl7.org/fhir/ValueSet/{chance.choice(('event-status', 'encounter-status', text))}"
    )
    return chance.choice(
        (
            f"{one}/$everything",
            f"{one}/$everything?_count={chance.choice((1, 0, 'x'))}&_since={text}",
            f"ValueSet/$expand?url={set_}&filter={text}&count={chance.choice((0, 3, -1, 10**12))}",
            f"ValueSet/$validate-code?url={set_}&code={chance.choice(('completed', text))}",
            f"CodeSystem/$lookup?system={act}&code={chance.choice(('VR', text))}",
            f"CodeSystem/$subsumes?system={act}&codeA=VR&codeB={chance.choice(('AMB', text))}",
            "ViewDefinition/messages/$viewdefinition-run?_format=csv",
            f"ViewDefinition/sessions/$viewdefinition-run?_format={text}",
            "$versions",
            "metadata",
        )
    )


_OPERATION_PARAMS = (
    *(
        "url",
        "code",
        "system",
        "coding",
        "codeableConcept",
        "valueSet",
        "filter",
        "count",
        "offset",
        "target",
        "patient",
    ),
    *(
        "start",
        "end",
        "_type",
        "_since",
        "_count",
        "_typeFilter",
        "_outputFormat",
        "subject",
        "text",
        "message",
        "reason",
    ),
    *(
        "participant",
        "thread",
        "codeA",
        "codeB",
        "date",
        "viewResource",
        "_format",
        "mode",
        "profile",
        "resource",
        "x",
    ),
)


def _operation_query(grammar: Grammar, chance: Random) -> str:
    pairs = []
    for _ in range(chance.choice((0, 1, 2, 4))):
        kind = chance.choice(("uri", "token", "date", "string", "reference", "number"))
        pairs.append(
            (chance.choice(_OPERATION_PARAMS), values.value(chance, kind, grammar.references))
        )
    return _form(chance, pairs)


def _view(chance: Random) -> Any:
    columns = [
        {"name": chance.choice(("a", "b", "_", "a b", "é")), "path": expressions.fhirpath(chance)}
        for _ in range(chance.choice((1, 2)))
    ]
    select: Any = {"column": columns}
    for _ in range(chance.choice((0, 0, 1, 3, 100))):
        select = {
            chance.choice(("select", "unionAll")): [select],
            "forEach": expressions.fhirpath(chance, 4),
        }
    return {
        "resourceType": "ViewDefinition",
        "resource": chance.choice(("Patient", "Communication", "Nothing")),
        "status": "active",
        "select": [select],
        "where": [{"path": expressions.fhirpath(chance)}] if chance.random() < 0.3 else [],
    }


def _graphql(grammar: Grammar, chance: Random) -> Sent:
    query = expressions.graphql(chance, grammar.there, grammar.references)
    variables: Any = chance.choice(({}, {}, {}, {"a": "x"}, {"a": None}, {"a": [1]}, [], "x", 5))
    body: Any = {"query": query, "variables": variables}
    if chance.random() < 0.1:
        body = resources.damaged(chance, body)
    at = chance.choice(("", "", f"{chance.choice(grammar.references)}/"))
    where = f"{FHIR}/{at}$graphql"
    if chance.random() < 0.2:
        return Sent("", "GET", f"{where}?query={_quoted(query)[:9000]}")
    return Sent(
        "", "POST", where, resources.encoded(chance, body), (("content-type", "application/json"),)
    )


def _endpoint(grammar: Grammar, chance: Random) -> Sent:
    path = chance.choice(grammar.endpoints)
    one = chance.choice(grammar.references).partition("/")[2]
    path = path.replace("*", chance.choice((one, _quoted(values.odd(chance))[:200] or "x", "none")))
    names = (
        "grant_type",
        "client_id",
        "client_secret",
        "code",
        "redirect_uri",
        "scope",
        "response_type",
        "state",
    )
    names = (
        *names,
        "email",
        "password",
        "login",
        "profile",
        "token",
        "refresh_token",
        "code_challenge",
        "q",
        "page",
        "text",
    )
    pairs = [
        (
            chance.choice(names),
            chance.choice((values.odd(chance), "client_credentials", "authorization_code", "a")),
        )
        for _ in range(chance.choice((0, 1, 3, 8)))
    ]
    if chance.random() < 0.5:
        return Sent(
            "", chance.choice(("GET", "GET", "HEAD", "DELETE")), f"{path}?{_form(chance, pairs)}"
        )
    if chance.random() < 0.5:
        body = resources.encoded(chance, resources.damaged(chance, dict(pairs) or {"a": 1}))
        return Sent("", "POST", path, body, (("content-type", "application/json"),))
    form = (("content-type", "application/x-www-form-urlencoded"),)
    return Sent("", "POST", path, _form(chance, pairs).encode(), form)


def _administration(grammar: Grammar, chance: Random) -> Sent:
    """What administrators make: clients, policies, memberships, people."""
    type_, body = chance.choice(list(_ADMINISTERED.items()))
    if chance.random() < 0.7:
        body = resources.damaged(chance, body)
    one = chance.choice(grammar.references).partition("/")[2]
    if type_.startswith("/"):
        path = type_.replace("*", chance.choice((one, "none")))
        sent = resources.encoded(chance, body)
        return Sent("", "POST", path, sent, (("content-type", "application/json"),))
    place = f"{FHIR}/{type_}{chance.choice(('', '', f'/{one}', '/none'))}"
    if chance.random() < 0.3:
        query = f"{place}?{_query(grammar, chance, 'Patient')}"
        return Sent(
            "", chance.choice(("GET", "DELETE")), chance.choice((query, f"{place}/_history"))
        )
    method = chance.choice(("POST", "POST", "PUT", "PATCH"))
    kind = _PATCH if method == "PATCH" else _JSON
    return Sent("", method, place, resources.encoded(chance, body), (("content-type", kind),))


_ADMINISTERED: Mapping[str, Any] = {
    "AccessPolicy": {
        "resourceType": "AccessPolicy",
        "name": "front desk",
        "resource": [
            {"resourceType": "Patient", "readonly": True, "hiddenFields": ["telecom"]},
            {
                "resourceType": "Communication",
                "criteria": "Communication?sender=%profile",
                "interaction": ["read", "search"],
                "readonlyFields": ["payload"],
            },
        ],
    },
    "ClientApplication": {
        "resourceType": "ClientApplication",
        "name": "portal",
        "redirectUris": ["https://portal.example.org/back"],
        "jwksUri": "https://portal.example.org/jwks",
    },
    "ProjectMembership": {
        "resourceType": "ProjectMembership",
        "user": {"reference": "User/none"},
        "profile": {"reference": "Practitioner/none"},
        "access": [
            {
                "policy": {"reference": "AccessPolicy/none"},
                "parameter": [{"name": "patient", "valueReference": {"reference": "Patient/none"}}],
            }
        ],
    },
    "Project": {"resourceType": "Project", "name": "North"},
    "User": {"resourceType": "User", "firstName": "Ann", "lastName": "Prado"},
    "/admin/projects/*/client": {"name": "portal", "accessPolicy": {"reference": "AccessPolicy/x"}},
    "/admin/projects/*/invite": {
        "resourceType": "Practitioner",
        "firstName": "Ann",
        "lastName": "Prado",
        "email": "ann@clinic.example.org",
        "sendEmail": False,
        "membership": {"access": [{"policy": {"reference": "AccessPolicy/x"}}]},
    },
    "/auth/login": {"email": "ann@clinic.example.org", "password": "x", "scope": "openid"},
}


def _noise(_: Grammar, chance: Random) -> Sent:
    """A method, a path or a content that nothing is there for."""
    method = chance.choice(
        ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "X")
    )
    part = _quoted(values.odd(chance))[:300]
    path = chance.choice(
        (
            *(
                f"{FHIR}/{part}",
                f"{FHIR}//Patient",
                f"{FHIR}/Patient//",
                f"{FHIR}/../../etc",
                "//",
                f"/{part}",
                "/fhir",
            ),
            *(
                f"{FHIR}/Patient/$x",
                f"{FHIR}/$",
                f"{FHIR}/Patient/_search",
                f"{FHIR}/metadata?mode={part}",
                "/*",
            ),
            *(
                "/%2e%2e/%2e%2e",
                f"{FHIR}/%50atient",
                f"{FHIR}/Patient%2f1",
                f"{FHIR}/Patient;a=b",
                f"/storage/{part}/x",
            ),
        )
    )
    body = chance.choice(
        (
            b"",
            b"",
            b"{}",
            b"null",
            b"[]",
            b'"a"',
            b"\x00",
            b"<x/>",
            json.dumps(_view(chance)).encode(),
        )
    )
    kind = chance.choice(
        (_JSON, "text/plain", "application/xml", "a/b; charset=x", "multipart/form-data", "")
    )
    return Sent("", method, path, body, (("content-type", kind),) if body else ())


def _headers(chance: Random) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for name, known in _HEADERS.items():
        if chance.random() < 0.03:
            odd = "".join(c for c in values.odd(chance) if " " <= c <= "~")[:500]
            made.append((name, chance.choice((*known, odd))))
    return made


_HEADERS: Mapping[str, Sequence[str]] = {
    "accept": (
        _JSON,
        "application/json",
        "*/*",
        "text/html",
        "application/fhir+json; fhirVersion=9",
        "a;q=x",
        "image/*",
    ),
    "accept-encoding": ("gzip", "zstd", "br", "identity;q=0", "*;q=0"),
    "prefer": (
        "return=minimal",
        "return=OperationOutcome",
        "handling=strict",
        "handling=lenient",
        "respond-async",
        "x=,",
    ),
    "if-match": ('W/"1"', "*", '"', 'W/"a", W/"b"', "1"),
    "if-none-match": ('W/"1"', "*"),
    "if-modified-since": ("Mon, 13 May 2024 10:00:00 GMT", "yesterday"),
    "if-unmodified-since": ("Mon, 13 May 2024 10:00:00 GMT", "0"),
    "range": ("bytes=0-1", "bytes=-1", "bytes=9999999999-", "bytes=0-1,2-3"),
    "origin": ("http://example.org", "null"),
    "x-medplum": ("extended",),
    "x-medplum-on-behalf-of": ("ProjectMembership/x", "Patient/1"),
    "traceparent": ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0-0-0"),
    "cookie": ("a=b", "a", "session=x; a=b;;"),
    "x-forwarded-for": ("1.2.3.4", "x, y"),
    "x-provenance": ("{}", '{"resourceType":"Provenance"}'),
    "x-http-method-override": ("DELETE",),
}
_KINDS: Mapping[str, tuple[int, Callable[[Grammar, Random], Sent]]] = {
    "search": (30, _search),
    "read": (10, _read),
    "history": (4, _history),
    "write": (16, _write),
    "patch": (8, _patch),
    "bundle": (8, _bundle),
    "operation": (10, _operation),
    "graphql": (5, _graphql),
    "endpoint": (6, _endpoint),
    "administration": (4, _administration),
    "noise": (3, _noise),
}

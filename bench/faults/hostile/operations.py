"""Operations, GraphQL, and what is beside FHIR: logins, pages, administration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any
from urllib.parse import quote

from bench.faults.hostile import expressions, resources, values
from bench.faults.hostile.grammar import FHIR, JSON, PATCH, Grammar, Sent, form_of, quoted
from bench.faults.hostile.searches import query_of
from bench.faults.hostile.writes import body_of


def operation(grammar: Grammar, chance: Random) -> Sent:
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
            value = body_of(grammar, chance)
        parameter.append({"name": chance.choice(_OPERATION_PARAMS), kind: value})
    body: Any = {"resourceType": "Parameters", "parameter": parameter}
    if "view" in name:
        body = view(chance)
    if chance.random() < 0.2:
        body = resources.damaged(chance, body)
    return Sent(
        "", "POST", f"{place}/${name}", resources.encoded(chance, body), (("content-type", JSON),)
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
            f"$export?_type=Patient,{text}&_since={text}",
            f"Patient/$export?_typeFilter={quote('Patient?')}{text}",
            f"bulkdata/export/{chance.choice(('none', text or 'x'))}",
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
    return form_of(chance, pairs)


def view(chance: Random) -> Any:
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


def graphql(grammar: Grammar, chance: Random) -> Sent:
    query = expressions.graphql(chance, grammar.there, grammar.references)
    variables: Any = chance.choice(({}, {}, {}, {"a": "x"}, {"a": None}, {"a": [1]}, [], "x", 5))
    body: Any = {"query": query, "variables": variables}
    if chance.random() < 0.1:
        body = resources.damaged(chance, body)
    at = chance.choice(("", "", f"{chance.choice(grammar.references)}/"))
    where = f"{FHIR}/{at}$graphql"
    if chance.random() < 0.2:
        return Sent("", "GET", f"{where}?query={quoted(query)[:9000]}")
    return Sent(
        "", "POST", where, resources.encoded(chance, body), (("content-type", "application/json"),)
    )


def endpoint(grammar: Grammar, chance: Random) -> Sent:
    path = chance.choice(grammar.endpoints)
    one = chance.choice(grammar.references).partition("/")[2]
    path = path.replace("*", chance.choice((one, quoted(values.odd(chance))[:200] or "x", "none")))
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
    if chance.random() < 0.2:
        path, pairs = _of_a_provider(chance)
    if chance.random() < 0.5:
        return Sent(
            "", chance.choice(("GET", "GET", "HEAD", "DELETE")), f"{path}?{form_of(chance, pairs)}"
        )
    if chance.random() < 0.5:
        body = resources.encoded(chance, resources.damaged(chance, dict(pairs) or {"a": 1}))
        return Sent("", "POST", path, body, (("content-type", "application/json"),))
    form = (("content-type", "application/x-www-form-urlencoded"),)
    return Sent("", "POST", path, form_of(chance, pairs).encode(), form)


def _of_a_provider(chance: Random) -> tuple[str, list[tuple[str, str]]]:
    """What apps bring that a provider has given them: a token, a code, its own proof."""
    odd = values.odd(chance)
    token = chance.choice(("a.b.c", odd, "e30.e30.e30", "e30.W10.x", "a" * 70_000))
    kind = "urn:ietf:params:oauth:token-type:"
    if chance.random() < 0.3:
        state = resources.damaged(chance, _STATE) if chance.random() < 0.7 else _STATE
        return "/auth/external", [("code", odd), ("state", json.dumps(state)), ("iss", odd[:20])]
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "client_id": chance.choice(("x", odd)),
        "subject_token": token,
        "subject_token_type": kind + chance.choice(("access_token", "id_token", "jwt", "saml2")),
        "subject_issuer": odd,
        "client_assertion": token,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "code_verifier": odd,
        "code": f"outside-{odd}",
    }
    left = [one for one in form.items() if chance.random() < 0.8]
    return "/oauth2/token", left


_STATE: Mapping[str, Any] = {
    "clientId": "x",
    "redirectUri": "https://portal.example.org/back",
    "codeChallenge": "A" * 43,
    "codeChallengeMethod": "S256",
    "issuer": "https://id.example.org",
    "domain": "clinic.example.org",
    "scope": "openid",
}


def administration(grammar: Grammar, chance: Random) -> Sent:
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
        query = f"{place}?{query_of(grammar, chance, 'Patient')}"
        return Sent(
            "", chance.choice(("GET", "DELETE")), chance.choice((query, f"{place}/_history"))
        )
    method = chance.choice(("POST", "POST", "PUT", "PATCH"))
    kind = PATCH if method == "PATCH" else JSON
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
    "SearchParameter": {
        "resourceType": "SearchParameter",
        "url": "https://clinic.example.org/SearchParameter/nickname",
        "name": "nickname",
        "status": "active",
        "description": "What they are called",
        "code": "nickname",
        "base": ["Patient"],
        "type": "string",
        "expression": "Patient.name.where(use = 'nickname').given",
    },
    "Subscription": {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "news",
        "criteria": "Communication?status=completed",
        "channel": {"type": "rest-hook", "endpoint": "https://hooks.example.org/x"},
    },
    "$import": {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "inputFormat", "valueString": "application/fhir+ndjson"},
            {"name": "inputSource", "valueUri": "https://files.example.org"},
            {
                "name": "input",
                "part": [
                    {"name": "type", "valueCode": "Patient"},
                    {"name": "url", "valueUrl": "https://files.example.org/Patient.ndjson"},
                ],
            },
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

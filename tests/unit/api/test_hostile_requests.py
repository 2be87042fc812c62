"""Any request at all is answered by less than a 5xx, and shows nobody what is hidden from them.

They are of the same grammar as those of ``python -m bench.faults hostile``, a few hundred of them.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any, cast

import pytest

from bench.faults.hostile.grammar import Grammar, Sent, read_grammar
from bench.faults.hostile.requests import make
from bench.faults.hostile.values import HIDDEN
from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.access.roles import role
from threadwell.api.clients import add_client
from threadwell.api.endpoints.table import paths
from threadwell.stores.contract import DEFAULT_PROJECT

REQUESTS = 400


def fill(api: Any) -> str:
    """One thread of a doctor, and one that is hidden from her; the doctor's reference."""
    doctor, patient, stranger = (
        f"{type_}/{api.make(type_)['id']}" for type_ in ("Practitioner", "Patient", "Practitioner")
    )
    for other, word in ((doctor, "hello"), (stranger, HIDDEN)):
        both = {
            "sender": {"reference": patient},
            "recipient": [{"reference": other}],
            "subject": {"reference": patient},
        }
        thread = api.make("Communication", status="completed", topic={"text": word}, **both)
        api.make(
            *("Communication",),
            status="completed",
            partOf=[{"reference": f"Communication/{thread['id']}"}],
            payload=[{"contentString": word}],
            **both,
        )
    return doctor


def limited(api: Any, doctor: str) -> str:
    """The authorization of a client that has the role of a participant, as that doctor."""

    async def add() -> str:
        policy = await keep_policy(api.store, DEFAULT_PROJECT, role("participant"))
        client = await add_client(api.store, "doctor")
        who = f"ClientApplication/{client.client_id}"
        member = Membership(who, doctor, (Grant(policy["id"], {}),))
        await keep_membership(api.store, DEFAULT_PROJECT, member)
        return cast(str, api.credentials(client.client_id, client.client_secret))

    return cast(str, api.run(add()))


def grammar_of(api: Any) -> Grammar:
    bodies = [
        entry["resource"]
        for type_ in ("Practitioner", "Patient", "Communication")
        for entry in api.call("GET", type_).json()["entry"]
    ]
    # What a request says itself it may be told again.
    shown = [
        {"resourceType": one["resourceType"], "id": one["id"]} if HIDDEN in str(one) else one
        for one in bodies
    ]
    return read_grammar(api.call("GET", "metadata").json(), shown, paths())


async def ask(api: Any, sent: Sent, authorization: str) -> tuple[int, bytes]:
    """The status and the body that such a request is answered by, as it is and at once."""
    path, _, query = sent.target.partition("?")
    headers = [(b"host", b"testserver"), (b"content-length", b"%d" % len(sent.body))]
    headers += [(name.encode(), value.encode()) for name, value in sent.headers]
    headers += [(b"authorization", authorization.encode())] if authorization else []
    answered: list[Any] = []
    taken = False

    async def receive() -> dict[str, Any]:
        nonlocal taken
        if taken:
            await asyncio.Event().wait()
        taken = True
        return {"type": "http.request", "body": sent.body, "more_body": False}

    async def send(message: Any) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "method": sent.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }
    await asyncio.wait_for(api.app(scope, receive, send), 60)
    return answered[0]["status"], b"".join(one.get("body", b"") for one in answered[1:])


@pytest.mark.parametrize("seed", range(2))
def test_any_request(new_api, seed: int) -> None:
    api = new_api()
    doctor = fill(api)
    grammar = grammar_of(api)
    callers = {"all": api.basic, "participant": limited(api, doctor), "nobody": ""}
    for number in range(REQUESTS):
        chance = Random(f"short-{seed}-{number}")
        sent = make(grammar, chance)
        who = chance.choice(list(callers))
        status, body = api.run(ask(api, sent, callers[who]))
        told = f"{seed}-{number}: {who}: {sent.kind}: {sent.method} {sent.target[:200]}"
        assert status < 500, told
        assert who == "all" or HIDDEN.encode() not in body, told


def test_what_is_hidden_would_be_seen(new_api) -> None:
    api = new_api()
    doctor = fill(api)
    sent = Sent("search", "GET", "/fhir/R4/Communication")
    assert HIDDEN.encode() in api.run(ask(api, sent, api.basic))[1]
    status, body = api.run(ask(api, sent, limited(api, doctor)))
    assert (status, b"hello" in body, HIDDEN.encode() in body) == (200, True, False)

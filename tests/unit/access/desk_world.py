"""The two worlds of ``world``, as the browser of somebody with a role sees them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import httpx

import in_process
from tests.unit.access.world import FURTHER, NAMES, NOON, ROLES, RUNNER, URL, Json, World, ref, uuid
from threadwell.access.memberships import Grant, Membership, keep_membership, keep_policy
from threadwell.access.roles import role
from threadwell.app import channels
from threadwell.encounters import codes
from threadwell.fhir.stamp import stamp
from threadwell.inbox.app import create_pages
from threadwell.inbox.sign_in import new_link
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write

#: What a thread of the world would be called in the app of a practice.
CHAT = codes.THREAD + "chat"


#: What the pages show beside the world, and no role sees: a held message with its bytes, a question
#: about the hidden session, a hidden thread that waits. They are there in the whole world alone.
EXTRA: Mapping[str, Json] = {
    "held-bytes": {
        "resourceType": "Binary",
        "id": uuid(101),
        "contentType": "text/plain",
    },
    "held": {
        "resourceType": "Task",
        "id": uuid(102),
        "status": "requested",
        "intent": "order",
        "code": codes.task_code("quarantine", "review"),
        "reasonCode": codes.reason("broken"),
        "description": "It could not be read as a message. secret.xml",
        "authoredOn": "2024-03-01T10:00:00Z",
        "input": [
            {"type": {"text": "message"}, "valueReference": {"reference": f"Binary/{uuid(101)}"}},
        ],
    },
    "dismissed": {
        "resourceType": "Task",
        "id": uuid(103),
        "status": "rejected",
        "intent": "order",
        "code": codes.task_code("quarantine"),
        "reasonCode": codes.reason("unknown-sender"),
        "description": "Nobody is known to have the address that it came from.",
        "authoredOn": "2024-03-01T10:00:00Z",
        "input": [
            {
                "type": {"text": "unknown"},
                "valueContactPoint": {"system": "phone", "value": "+15550177"},
            },
        ],
    },
    "question": {
        "resourceType": "Task",
        "id": uuid(104),
        "status": "requested",
        "intent": "order",
        "code": codes.task_code("review"),
        "identifier": [{"system": codes.CIRCLE, "value": "secret-circle"}],
        "description": "Whom is the session about?",
        "authoredOn": "2024-03-01T10:00:00Z",
        "focus": ref("two-session"),
        "input": [{"type": {"text": codes.CANDIDATE}, "valueReference": ref("cleo")}],
    },
    "waits": {
        "resourceType": "Task",
        "id": uuid(105),
        "status": "requested",
        "intent": "order",
        "code": codes.task_code("respond"),
        "identifier": [{"system": codes.TODO, "value": "secret-thread"}],
        "authoredOn": "2024-03-01T10:00:00Z",
        "focus": ref("two"),
        "restriction": {"period": {"end": "2024-03-02T10:00:00Z"}},
    },
}


class Seen(NamedTuple):
    """A page, with what may differ between two servers of one world taken out."""

    status: int
    headers: tuple[str, ...]
    body: str


class Desk:
    """The pages over one of the worlds, and the browser of a practitioner with a role."""

    def __init__(self, store: Store, role_: str, *, whole: bool) -> None:
        self.world = World(store, role_, whole=whole)
        self.store = cast(Store, self.world.store)
        self.pages = create_pages(self.store, base_url=URL, channels=channels())
        about = ROLES[role_]
        self.who = NAMES[about.profile]
        # Who sees the Task of the other thread sees these, too: then they are in both.
        if whole or "two-todo" not in about.hidden:
            RUNNER.run(self._beside())
        self.grant(role_, about.parameters)
        link = RUNNER.run(new_link(self.store, URL, who=NAMES[about.profile]))
        transport = httpx.ASGITransport(self.pages)
        self.client = httpx.AsyncClient(transport=transport, base_url=URL)
        assert self.ask("POST", link.removeprefix(URL)).status == 303

    async def _beside(self) -> None:
        for number, resource in enumerate(EXTRA.values()):
            type_, id_, version = resource["resourceType"], resource["id"], uuid(5000 + number)
            stamped, body = stamp(dict(resource), id_, version, NOON)
            content = b"secret bytes" if type_ == "Binary" else None
            write = Write(type_, id_, version, NOON, stamped, body, content=content)
            await self.store.commit(DEFAULT_PROJECT, ChangeSet((write,)))

    def grant(self, role_: str, parameters: Mapping[str, str]) -> None:
        """Give the person the policy of a role."""
        policy = RUNNER.run(
            keep_policy(self.store, DEFAULT_PROJECT, FURTHER.get(role_) or role(role_))
        )
        member = Membership(self.who, self.who, (Grant(policy["id"], dict(parameters)),))
        RUNNER.run(keep_membership(self.store, DEFAULT_PROJECT, member))

    def ask(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> Seen:
        """What the pages answer."""
        answer = in_process.run(self.client.request(method, path, data=form), RUNNER)
        told = sorted(f"{name}: {value}" for name, value in answer.headers.items())
        return Seen(answer.status_code, tuple(map(_masked, told)), _masked(answer.text))


#: What is drawn anew, and the number of the last change of the store.
_DRAWN = re.compile(
    r'name="key" value="[^"]*"|/news\?after=\d+|content-length: \d+|set-cookie: [^"]*'
    r"|/find/\d{14}-[\w-]+"
)


def _masked(text: str) -> str:
    return _DRAWN.sub("~", text)

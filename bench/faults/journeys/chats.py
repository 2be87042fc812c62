"""A patient's app sends a file and a message: by the chat's API into the record."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from bench.faults.journeys.desk import Desk, Found, Journey, counted
from threadwell.channels.account import Account
from threadwell.channels.chat.names import Patient
from threadwell.channels.chat.tokens import new_token
from threadwell.fhir.stamp import new_id, stamp
from threadwell.intake.accounts import keep_account
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Store, Write

_ACCOUNT = Account("app", "chat", (), {"secret": "a-secret-that-is-long-enough-for-chats-1"})
_FILE = b"%PDF a plan"


class Chats(Journey):
    """Messages of an app, which sends again what was not answered, under the same key."""

    name = "chat in"

    async def set_up(self, store: Store) -> None:
        writes = []
        for case in range(self.cases):
            telecom = [{"system": "other", "value": _patient(case).address.value}]
            name = [{"family": f"Kin{case}"}]
            patient = {"resourceType": "Patient", "name": name, "telecom": telecom}
            resource, body = stamp(patient, f"p{case}", new_id(1), 1)
            version = resource["meta"]["versionId"]
            writes.append(Write("Patient", f"p{case}", version, 1, resource, body))
        await store.commit(DEFAULT_PROJECT, ChangeSet(tuple(writes)))
        await keep_account(store, DEFAULT_PROJECT, _ACCOUNT)

    async def work(self, desk: Desk, case: int, told: set[str]) -> None:
        token = new_token(_ACCOUNT, _patient(case).who, datetime.now(UTC), 600)
        headers = {"authorization": f"Bearer {token}"}
        files = [one.removeprefix("file ") for one in told if one.startswith("file ")]
        if not files:
            path = "/chat/app/attachments?name=plan.pdf"
            status, body = await desk.ask(
                "POST", path, _FILE, content_type="application/pdf", **headers
            )
            assert status == 201, body
            files = [json.loads(body)["id"]]
            desk.steps.tell(f"file {files[0]}")
        if "sent" not in told:
            said = {"key": f"m{case}", "text": f"Is that right, day {case}?", "attachments": files}
            status, body = await desk.ask(
                "POST",
                "/chat/app/messages",
                json.dumps(said).encode(),
                content_type="application/json",
                **headers,
            )
            assert status in (200, 201), body
            desk.steps.tell("sent")
        await desk.take_in()

    async def check(self, desk: Desk, case: int) -> Found:
        found = await desk.children("chat", _patient(case).external_id(f"m{case}"))
        message = counted(found)
        attached = [part["contentAttachment"] for part in found[0]["payload"][1:]] if found else []
        bare = sum("url" not in one for one in attached) + (len(attached) != 1)
        return Found(message.lost + await desk.settled(), message.doubled, bare)


def _patient(case: int) -> Patient:
    return Patient("app", f"pat-{case}")

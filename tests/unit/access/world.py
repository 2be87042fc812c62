"""Two worlds that differ only in what is hidden from a caller: whoever asks must not tell which.

``WORLD`` is a small practice. Thread ``one`` is of Ada and Dr Bell, thread ``two`` of Cleo and
Dr Dunn. Each role sees some of it; the rest (``HIDDEN``) is there in the first world, and was never
there in the second. All ids, times and versions are given, so that equal means equal.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast
from uuid import uuid4

import msgspec

from kept_connections import KeptConnections
from threadwell.access.grants import keep_age
from threadwell.access.memberships import (
    Grant,
    Membership,
    keep_membership,
    keep_policy,
    remove_membership,
)
from threadwell.access.roles import role
from threadwell.api.app import create_app
from threadwell.api.claims import Claims
from threadwell.api.clients import add_client
from threadwell.api.oauth.keys import signing_key
from threadwell.api.oauth.tokens import access_token
from threadwell.app import channel_labels
from threadwell.fhir.stamp import stamp
from threadwell.inbox.browsers import Accounts
from threadwell.stores.contract import DEFAULT_PROJECT, ChangeSet, Key, Store, Stored, Write
from threadwell.users.keeping import add_user
from threadwell.users.user import Member, User

URL = "http://testserver"
NOON = 1_710_072_000_000
CLIENT, SECRET = "aaaaaaaa-0000-4000-8000-000000000001", "f" * 64
RUNNER = asyncio.Runner()
KEPT = KeptConnections(RUNNER)

Json = dict[str, Any]


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def ref(name: str) -> Json:
    return {"reference": NAMES[name]}


#: The reference of each resource, by its name here.
NAMES = {
    name: f"{type_}/{uuid(number)}"
    for number, (name, type_) in enumerate(
        {
            "ada": "Patient",
            "cleo": "Patient",
            "bell": "Practitioner",
            "dunn": "Practitioner",
            "mother": "RelatedPerson",
            "one": "Communication",
            "one-said": "Communication",
            "one-old": "Communication",
            "one-session": "Encounter",
            "one-care": "Encounter",
            "one-file": "Binary",
            "one-todo": "Task",
            "two": "Communication",
            "two-said": "Communication",
            "two-session": "Encounter",
            "two-care": "Encounter",
            "two-file": "Binary",
            "two-todo": "Task",
            "two-claim": "Claim",
            "lost": "Communication",
            "lost-said": "Communication",
        }.items(),
        1,
    )
}
VIRTUAL = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}


def _header(name: str, patient: str, practitioner: str, **more: Any) -> Json:
    return {
        "resourceType": "Communication",
        "status": "in-progress",
        "identifier": [{"system": "urn:thread", "value": name}],
        "topic": {"text": f"About {patient}"},
        "subject": ref(patient),
        "sender": ref(patient),
        "recipient": [ref(patient), ref(practitioner)],
        **more,
    }


def _said(of: str, sender: str, to: str, text: str, **more: Any) -> Json:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "identifier": [{"system": "urn:message", "value": f"{of}-{text}"}],
        "partOf": [ref(of)],
        "subject": ref("ada" if of == "one" else "cleo"),
        "sender": ref(sender),
        "recipient": [ref(to)],
        "sent": "2024-03-09T10:00:00Z" if of == "one" else "2024-02-01T10:00:00Z",
        "payload": [{"contentString": text}],
        **more,
    }


def _encounter(patient: str, **more: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "status": "finished" if patient == "cleo" else "in-progress",
        "class": VIRTUAL,
        "subject": ref(patient),
        "period": {"start": "2024-03-09T10:00:00Z"},
        **more,
    }


def _file(content_type: str) -> Json:
    return {"resourceType": "Binary", "contentType": content_type}


def _attached(name: str) -> list[Json]:
    return [{"contentAttachment": {"contentType": "text/plain", "url": NAMES[name]}}]


def _todo(of: str, owner: str) -> Json:
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "focus": ref(of),
        "owner": ref(owner),
        "identifier": [{"system": "urn:todo", "value": of}],
    }


#: Each resource as it is, in the order of creation; what was is in ``FORMER``.
WORLD: Mapping[str, Json] = {
    "ada": {
        "resourceType": "Patient",
        "name": [{"family": "Adair", "given": ["Ada"]}],
        "telecom": [{"system": "phone", "value": "+15550100"}],
        "birthDate": "2015-05-04",
    },
    "cleo": {
        "resourceType": "Patient",
        "name": [{"family": "Cleve", "given": ["Cleo"]}],
        "telecom": [{"system": "phone", "value": "+15550177"}],
        "identifier": [{"system": "urn:mrn", "value": "secret-77"}],
        "birthDate": "1961-01-31",
        "gender": "female",
    },
    "bell": {"resourceType": "Practitioner", "name": [{"family": "Bell"}]},
    "dunn": {"resourceType": "Practitioner", "name": [{"family": "Dunn"}]},
    "mother": {
        "resourceType": "RelatedPerson",
        "patient": ref("ada"),
        "name": [{"family": "Adair", "given": ["Mo"]}],
    },
    "one": _header("one", "ada", "bell", encounter=ref("one-session")),
    "one-said": _said("one", "ada", "bell", "Hello"),
    "one-old": _said("one", "bell", "ada", "Good day", payload=_attached("one-file")),
    "one-session": _encounter("ada"),
    "one-care": _encounter("ada", partOf=ref("one-session")),
    "one-file": _file("text/plain"),
    "one-todo": _todo("one", "bell"),
    "two": _header("two", "cleo", "dunn", encounter=ref("two-session")),
    "two-said": _said("two", "dunn", "cleo", "Secret", payload=_attached("two-file")),
    "two-session": _encounter("cleo"),
    "two-care": _encounter("cleo", partOf=ref("two-session")),
    "two-file": _file("text/x-secret"),
    "two-todo": _todo("two", "dunn"),
    "two-claim": {
        "resourceType": "Claim",
        "status": "active",
        "type": {"coding": [{"code": "professional"}]},
        "use": "claim",
        "patient": ref("cleo"),
        "created": "2024-03-01",
        "provider": ref("dunn"),
        "priority": {"coding": [{"code": "normal"}]},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "none"}}],
    },
    # Dr Bell was in this thread, and Ada too; both have been taken out of it.
    "lost": _header("lost", "cleo", "dunn"),
    "lost-said": {**_said("lost", "dunn", "cleo", "Not for them"), "subject": ref("cleo")},
}
#: What they were before.
FORMER: Mapping[str, Json] = {
    "lost": {
        **WORLD["lost"],
        "subject": ref("ada"),
        "recipient": [ref("cleo"), ref("dunn"), ref("bell"), ref("ada")],
    },
}
_ONE = ("one", "one-said", "one-old", "one-session", "one-care", "one-file")
_TWO = (
    *("two", "two-said", "two-session", "two-care", "two-file", "two-todo", "two-claim"),
    *("lost", "lost-said"),
)


class Role(NamedTuple):
    """Who has it, what the policy is told, and what it must hide.

    With ``scopes`` it is asked by an app that has these, about a ``patient`` where one is named;
    ``policy`` is then the role below them. With ``acted_for`` it is an administrator's client that
    asks, and names a member with that policy as whom it acts for. ``grown`` is a patient for whom
    they have the policy, too, and who is of age by now.
    """

    profile: str
    parameters: Mapping[str, str]
    hidden: tuple[str, ...]
    policy: str = ""
    scopes: tuple[str, ...] = ()
    patient: str = ""
    acted_for: bool = False
    grown: str = ""


#: Everything that each role must not see.
ROLES: Mapping[str, Role] = {
    "participant": Role("bell", {}, _TWO),
    "participant-keeps-past": Role("bell", {}, _TWO),
    "care-team": Role("bell", {"patient": NAMES["ada"]}, _TWO),
    "billing": Role("bell", {}, ("one-todo", "two-todo", "one-file", "two-file")),
    "patient": Role("ada", {}, ("cleo", "one-todo", *_TWO)),
    "proxy": Role("mother", {"patient": NAMES["ada"]}, ("cleo", "one-todo", *_TWO)),
    "app-of-patient": Role(
        *("bell", {}, ("cleo", "bell", "dunn", "one-todo", *_TWO), "system"),
        *(("openid", "patient/*.cruds"), "ada"),
    ),
    "app-of-messages": Role(
        *("bell", {}, ("cleo", "mother", "one-session", "one-care", "one-file", *_TWO)),
        "participant",
        (
            *("user/Communication.cruds", "user/Task.rs", "user/Practitioner.read"),
            f"user/Patient.rs?_id={NAMES['ada'].partition('/')[2]}",
        ),
    ),
    # What is seen refers to what is not.
    "clerk": Role("bell", {}, ("cleo",)),
}
#: Those that only some tests try, which are about nothing but the API.
FURTHER_ROLES: Mapping[str, Role] = {
    "acted-for": Role("bell", {}, _TWO, "participant", acted_for=True),
    # Of two for whom she stands one is of age; she writes in a thread of each.
    "proxy-of-one": Role(
        *("mother", {"patient": NAMES["cleo"]}),
        *(("ada", "mother", "one-todo", "two-todo", "two-claim", *_ONE), "proxy"),
        grown="ada",
    ),
}
ALL_ROLES: Mapping[str, Role] = {**ROLES, **FURTHER_ROLES}
_NOBODY = Role("bell", {}, ())
#: What is in no role's worlds the same: elements that a role does not see, in two variants.
FIELDS: Mapping[str, Mapping[str, Json]] = {
    "billing": {
        name: {
            "payload": [{"contentString": "Of another world"}],
            "topic": {"text": "Another"},
        }
        for name in ("one", "one-said", "two", "two-said")
    }
}


#: Policies that are no role's, to try what no role has.
FURTHER: Mapping[str, Json] = {
    "glass": {
        **role("participant"),
        "name": "glass",
        "resource": [
            *role("participant")["resource"],
            *[
                {"resourceType": type_, "breakGlass": True}
                for type_ in ("Communication", "Encounter", "Binary")
            ],
        ],
    },
    "desk": {
        "resourceType": "AccessPolicy",
        "name": "desk",
        "resource": [{"resourceType": "Patient", "hiddenFields": ["telecom"]}],
    },
    "clerk": {
        "resourceType": "AccessPolicy",
        "name": "clerk",
        "resource": [
            {
                "resourceType": "Patient",
                "criteria": f"Patient?_id={NAMES['ada'].partition('/')[2]}",
            },
            *[
                {"resourceType": type_, "readonly": True}
                for type_ in sorted(
                    {name.partition("/")[0] for name in NAMES.values()} - {"Patient"}
                )
            ],
        ],
    },
}


class World:
    """A server with a world behind it, and a client with a role's policy."""

    def __init__(self, store: Store, role_: str, *, whole: bool) -> None:
        self.store = Counted(store)
        self.run = RUNNER.run
        app_store = cast(Store, self.store)
        self.behalf: dict[str, str] = {}
        self.app = create_app(
            app_store,
            base_url=URL,
            labels=channel_labels,
            clock=lambda: NOON,
            people=Accounts(app_store, DEFAULT_PROJECT),
        )
        self.run(self._fill(role_, whole))
        self.run(self._admit(role_))
        self.authorization = _basic(CLIENT, SECRET)
        form = {"content-type": "application/x-www-form-urlencoded"}
        told = self.ask("POST", "/oauth2/token", b"grant_type=client_credentials", **form)
        # Who has a token is looked up once.
        self.authorization = f"Bearer {json.loads(told.body)['access_token']}"
        if ALL_ROLES.get(role_, _NOBODY).scopes:
            self.authorization = self.run(self._app(ALL_ROLES[role_]))

    async def _fill(self, role_: str, whole: bool) -> None:
        about = ALL_ROLES.get(role_, _NOBODY)
        number = 0
        before: dict[str, Stored] = {}
        for source in (FORMER, WORLD):
            for name, resource in source.items():
                number += 1
                if not whole:
                    if name in about.hidden:
                        continue
                    resource = {**resource, **FIELDS.get(role_, {}).get(name, {})}
                if about.grown and name in ("one", "one-old", "two"):
                    who = [*resource["recipient"], ref(about.profile)]
                    resource = {**resource, "recipient": who}
                type_, _, id_ = NAMES[name].partition("/")
                stamped, body = stamp(resource, id_, uuid(1000 + number), NOON - 10**6 + number)
                content = b"bytes of " + name.encode() if type_ == "Binary" else None
                write = Write(
                    type_,
                    id_,
                    uuid(1000 + number),
                    NOON - 10**6 + number,
                    stamped,
                    body,
                    before.get(name),
                    "ClientApplication/other",
                    content,
                )
                await self.store.commit(DEFAULT_PROJECT, ChangeSet((write,)))
                stored = await self.store.read(DEFAULT_PROJECT, type_, id_)
                assert stored is not None
                before[name] = stored

    async def _admit(self, role_: str) -> None:
        about = ALL_ROLES.get(role_, _NOBODY)
        is_admin = about.acted_for
        policy = await keep_policy(
            cast(Store, self.store),
            DEFAULT_PROJECT,
            FURTHER.get(role_) or role(about.policy or role_),
        )
        await add_client(
            cast(Store, self.store), "limited", client_id=CLIENT, secret=SECRET, admin=is_admin
        )
        grants = [Grant(policy["id"], dict(about.parameters))]
        if about.grown:
            await keep_age(cast(Store, self.store), DEFAULT_PROJECT, 5)
            other = Grant(policy["id"], {"patient": NAMES[about.grown]})
            grants = [msgspec.structs.replace(grants[0], until=2 * NOON), other]
        who = f"ClientApplication/{CLIENT}"
        if is_admin:
            who = NAMES[about.profile]
            one = Member(uuid(5000), DEFAULT_PROJECT, who)
            user = User(uuid(5001), "bell@clinic.example.org", "Bo", "Bell", NOON, members=(one,))
            await add_user(cast(Store, self.store), DEFAULT_PROJECT, user)
            self.behalf = {"x-medplum-on-behalf-of": f"ProjectMembership/{one.id}"}
        member = Membership(who, NAMES[about.profile], tuple(grants))
        await keep_membership(cast(Store, self.store), DEFAULT_PROJECT, member)

    async def _app(self, about: Role) -> str:
        """What a request of an app comes with that has the scopes of a role."""
        key = await signing_key(cast(Store, self.store))
        patient = NAMES[about.patient] if about.patient else ""
        claims = Claims(CLIENT, uuid(1), NOON // 1000 + 3600, 0, about.scopes, patient)
        return f"Bearer {access_token(key, f'{URL}/', claims, NOON // 1000, sub=CLIENT)}"

    def free(self) -> None:
        """Let the client do everything, by a login that begins anew."""
        who = f"ClientApplication/{CLIENT}"
        self.behalf = {}
        self.run(remove_membership(cast(Store, self.store), DEFAULT_PROJECT, who))
        self.authorization = _basic(CLIENT, SECRET)

    def strip(self) -> None:
        """Take all policies from the client, and let it log in anew."""
        who = f"ClientApplication/{CLIENT}"
        member = Membership(who, NAMES["bell"], ())
        self.run(keep_membership(cast(Store, self.store), DEFAULT_PROJECT, member))
        self.authorization = _basic(CLIENT, SECRET)

    def write(self, name: str, resource: Json) -> None:
        """A new version of a resource, by somebody who may."""
        type_, _, id_ = name.partition("/")
        before = self.run(self.store.read(DEFAULT_PROJECT, type_, id_))
        stamped, body = stamp(dict(resource), id_, uuid(9999), NOON)
        write = Write(type_, id_, uuid(9999), NOON, stamped, body, before)
        self.run(self.store.commit(DEFAULT_PROJECT, ChangeSet((write,))))

    async def change(self, stored: Stored) -> None:
        """Another version of a resource that says the same, by somebody who may."""
        resource = json.loads(stored.body)
        stamped, body = stamp(resource, stored.id, str(uuid4()), NOON)
        version = stamped["meta"]["versionId"]
        write = Write(stored.type, stored.id, version, NOON, stamped, body, stored)
        await self.store.commit(DEFAULT_PROJECT, ChangeSet((write,)))

    @staticmethod
    def json(answer: Answered) -> Json:
        """The body of an answer."""
        found: Json = json.loads(answer.body)
        return found

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        """An answer, with what may differ between two servers of one world taken out."""
        self.store.calls = 0
        return RUNNER.get_loop().run_until_complete(self._ask(method, path, body, headers))

    async def _ask(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answered:
        path, _, query = path.partition("?")
        content = body if isinstance(body, bytes) else b"" if body is None else _json(body)
        given = {
            "authorization": self.authorization,
            **self.behalf,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        if body is not None and "content-type" not in given:
            given["content-type"] = "application/fhir+json"
        given["content-length"] = str(len(content))
        scope = {
            "type": "http",
            "method": method,
            "path": path if path.startswith("/") else f"/fhir/R4/{path}".rstrip("/"),
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in given.items()],
        }
        sent: list[Any] = []

        async def receive() -> Json:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        told = sorted(f"{k.decode()}: {v.decode()}" for k, v in sent[0]["headers"])
        text = b"".join(message.get("body", b"") for message in sent[1:])
        return Answered(
            sent[0]["status"],
            tuple(map(_masked, told)),
            _masked(text.decode(errors="replace")),
            self.store.calls,
        )


class Answered(NamedTuple):
    """``steps`` are the calls that the store got for it."""

    status: int
    headers: tuple[str, ...]
    body: str
    steps: int


class Counted:
    """A store that counts what is asked of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        self.calls += 1
        return getattr(self._store, name)


#: What is drawn anew by each server: ids that are not of the world, and signatures.
_DRAWN = re.compile(
    r"(?!00000000-0000-4000-8000-)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|Signature=[0-9a-f]{64}|content-length: \d+|_cursor=[\w-]+"
    # Cursors, as a connection of GraphQL has them.
    r"|\"(?:next|previous)\":\"[\w-]+\""
)


def _masked(text: str) -> str:
    return _DRAWN.sub("~", text)


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


def _basic(client: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


def key(name: str) -> Key:
    type_, _, id_ = NAMES[name].partition("/")
    return Key(type_, id_)

"""Every command that administers leaves a record in the trail, and no secret stands in it."""

from __future__ import annotations

import inspect
import io
import json
from argparse import _SubParsersAction
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import threadwell
from tests.unit.guide_package import manifest, packed, profile
from threadwell.audit.finding import Wanted, find
from threadwell.audit.record import ADMINISTERED
from threadwell.cli import commands, main
from threadwell.cli.parser import build_parser
from threadwell.facade import Threadwell

TOKEN = "a-secret-of-the-tests-0123456789-abc"
PASSWORD = "nine words that nobody else would ever think o"
RULES = '[[rule]]\nname = "night"\nwhen.event = "message"\nthen.reply = "hours"\n'
MADE: dict[str, str] = {}

#: Each command that administers, in an order in which they work: and what its records tell.
#: ``{app}`` is the id of the client ``app``, ``{robin}`` that of the account. One that begins with
#: ``!`` is refused by what it asks for.
ACTS: list[tuple[list[str], list[str]]] = [
    (["policy", "set", "participant"], ["policy set participant"]),
    (["policy", "set", "billing"], ["policy set billing"]),
    (["policy", "remove", "billing"], ["policy remove billing"]),
    (["client", "add", "app"], ["client add {app} app"]),
    (
        ["policy", "give", "participant", "app", "--as", "{doctor}"],
        ["policy give participant ClientApplication/{app} acts_as={doctor}"],
    ),
    (
        ["policy", "take", "participant", "app"],
        ["policy take participant ClientApplication/{app}"],
    ),
    (["policy", "free", "app"], ["policy free ClientApplication/{app}"]),
    (["policy", "age", "16"], ["policy age 16"]),
    (["client", "rotate", "app"], ["client rotate {app}"]),
    (["client", "revoke", "app"], ["client revoke {app}"]),
    (
        ["user", "invite", "robin@example.org", "--as", "{doctor}"],
        ["user invite User/{robin} {doctor} profile={doctor}"],
    ),
    (
        ["user", "add", "kim@example.org", "--as", "{doctor}", "--password-file", "password"],
        ["user invite User/{kim} {doctor}", "user password User/{kim} {doctor}"],
    ),
    (["user", "disable", "robin@example.org"], ["user disable User/{robin} {doctor}"]),
    (["user", "enable", "robin@example.org"], ["user enable User/{robin} {doctor}"]),
    (
        ["user", "reset", "robin@example.org", "--second-factor"],
        ["user second-factor off User/{robin} {doctor}", "user reset User/{robin} {doctor}"],
    ),
    (
        ["user", "role", "robin@example.org", "--role", "participant", "--admin"],
        [
            "policy give participant {doctor} acts_as={doctor}",
            "user admin User/{robin} {doctor} True",
        ],
    ),
    (
        ["user", "sessions", "robin@example.org", "--end"],
        ["user sessions end User/{robin} {doctor}"],
    ),
    (
        ["account", "add", "app", "--channel", "chat", "--secret-env", "secret=APP_SECRET"],
        ["account add app chat"],
    ),
    (["account", "token", "app", "--who", "p-1"], ["account token app p-1"]),
    (["account", "remove", "app"], ["account remove app"]),
    (["keys", "rotate"], ["keys rotate"]),
    (
        [
            *("provider", "set", "entra", "--issuer", "https://id.example.org"),
            *("--client-id", "x", "--secret-file", "secret", "--label", "Entra"),
            *("--domain", "example.org"),
        ],
        ["provider set entra invited example.org"],
    ),
    (["provider", "load", "providers.toml"], ["provider set clinic invited"]),
    (["provider", "remove", "entra"], ["provider remove entra"]),
    (["subscriptions", "--allow-host", "billing:8443"], ["subscriptions host billing:8443"]),
    (
        ["subscriptions", "--forbid-host", "billing:8443"],
        ["subscriptions host billing:8443"],
    ),
    (["!subscriptions", "--set-back", "none", "1"], ["subscriptions set-back none 1"]),
    (["sign-in", "--as", "{doctor}"], ["sign-in who={doctor}"]),
    (["project", "create", "Riverside"], ["project create Riverside"]),
    (["project", "rename", "Riverside", "--to", "Hill"], ["project rename Riverside Hill"]),
    (["!deliveries", "--replay", "none"], ["deliveries replay none"]),
    (["!deliveries", "--drop", "none"], ["deliveries drop none"]),
    (["ig", "add", "guide.tgz"], ["ig add org.example.guide#1.0.0"]),
    (["ig", "set", "references=type"], ["ig set references=type"]),
    (["ig", "remove", "org.example.guide"], ["ig remove org.example.guide"]),
    (["saved", "set", "hours", "We are here from 9 to 5."], ["saved set hours"]),
    (["rules", "set", "rules.toml"], ["rules set"]),
    (["rules", "drop"], ["rules drop"]),
    (["saved", "remove", "hours"], ["saved remove hours"]),
    (["read", "--tell-by", "task"], ["receipts task"]),
]
#: What is recorded by its own act, where it changes a setting of the store.
BY_THEMSELVES: list[tuple[list[str], str]] = [
    (["audit", "keep", "2190"], "retention"),
    (["index", "off", "Communication.received"], "index off"),
    (["index", "on", "Communication.received"], "index on"),
    (["allow", "update-create", "on"], "allow"),
]
#: What administers nothing: it shows, or what it writes is recorded as ``change`` or ``request``;
#: a pruning in the commit that removes anything (``test_trail.py``).
OTHERS = {
    *(
        "account list",
        "account show",
        "audit export",
        "audit head",
        "audit list",
        "audit prune",
        "audit show",
    ),
    *("audit verify", "client list", "client show", "ig list", "index add", "index list"),
    *("keys list", "keys make", "policy list", "policy roles", "policy show", "project list"),
    *("provider list", "provider show", "provider test", "rules check", "rules list"),
    *("rules runs", "rules show", "rules try", "saved list", "todos claim", "todos dismiss"),
    *("todos list", "todos release", "todos reroute", "user list", "user show"),
    *("view list", "view run", "about", "answer", "backfill", "backup", "close", "copy"),
    *("correct", "delete", "draft", "duties", "export", "expunge", "get", "import", "load"),
    *("mail", "open-session", "outbox", "patch", "post", "preview", "put", "quarantine", "recut"),
    *("reopen", "replay", "reply", "retract", "reviews", "same", "serve", "sessions", "thread"),
    *("verify", "watch", "zones"),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THREADWELL_STORE", str(tmp_path / "practice.db"))
    monkeypatch.setenv("APP_SECRET", TOKEN)
    monkeypatch.setenv("LOGNAME", "morgan")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    Path("password").write_text(PASSWORD)
    Path("secret").write_text(TOKEN)
    Path("rules.toml").write_text(RULES)
    Path("guide.tgz").write_bytes(
        packed({"package.json": manifest(), "x.json": profile("x", "Patient")})
    )
    Path("providers.toml").write_text(
        '[provider.clinic]\nlabel = "Clinic"\nissuer = "https://two.example.org"\n'
        'client_id = "x"\nsecret_file = "secret"\n'
    )
    with threadwell.open(tmp_path / "practice.db") as tw:
        made = tw.create_resource({"resourceType": "Practitioner"})
    MADE.clear()
    MADE["doctor"] = f"Practitioner/{made['id']}"
    return tmp_path


def words() -> Iterator[str]:
    """Each command with each of its actions."""
    parser = build_parser(commands())
    table = next(one for one in parser._actions if isinstance(one, _SubParsersAction))
    for name, child in table.choices.items():
        actions = next((a.choices for a in child._actions if a.dest == "action"), None)
        yield from (f"{name} {action}" for action in actions) if actions else (name,)


def records(act: str = ADMINISTERED) -> list[Any]:
    """What the trail has of them, oldest first."""

    async def found(tw: Threadwell) -> list[Any]:
        await tw._trail.drain()
        walk = find(tw._trail, tw.project, Wanted())
        return [line.record async for line in walk if line.record.act.startswith(act)]

    with threadwell.open("practice.db") as tw:
        return list(reversed(tw._loop.call(found(tw))))


def named(argv: list[str]) -> str:
    """The command, and its action where it has actions."""
    first = argv[0].removeprefix("!")
    both = " ".join([first, *argv[1:2]])
    return both if both in set(words()) else first


def test_every_command_is_known_as_one_that_administers_or_as_another() -> None:
    known = {named(argv) for argv, _ in (*ACTS, *BY_THEMSELVES)}
    assert known | OTHERS == set(words())
    assert not known & OTHERS


def test_every_act_of_python_is_walked_here() -> None:
    methods = inspect.getmembers(Threadwell, inspect.isfunction)
    acts = {one.administers for _, one in methods if hasattr(one, "administers")}
    told = [text for _, texts in ACTS for text in texts]
    assert [act for act in acts if not any(f"{text} ".startswith(f"{act} ") for text in told)] == []


def test_each_leaves_one_record_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    secrets = [TOKEN, PASSWORD, "nine words", "robin@example.org", "kim@example.org"]
    for argv, wanted in ACTS:
        before = len(records())
        line = [one.removeprefix("!").format(**MADE) for one in argv]
        code = main(line)
        out, err = capsys.readouterr()
        assert code == (1 if argv[0].startswith("!") else 0), (line, out + err)
        if line[:2] in (["client", "add"], ["client", "rotate"]):
            MADE["app"] = json.loads(out)["client_id"]
            secrets.append(json.loads(out)["client_secret"])
        if line[0] == "user":
            with threadwell.open("practice.db") as tw:
                MADE.update({one.email.partition("@")[0]: one.id for one in tw.users()})
            secrets += [line.rpartition("/")[2] for line in out.split() if "://" in line]
        if line[0] == "sign-in" or line[:2] == ["account", "token"]:
            secrets.append(out.strip().rpartition("/")[2])
        made = records()[before:]
        assert len(made) == len(wanted), (line, made)
        for record, text in zip(made, wanted, strict=True):
            assert record.asked.startswith(text.format(**MADE)), (line, record)
            assert record.status == (422 if argv[0].startswith("!") else 200)
            assert record.by.name == "morgan"
            assert record.by.way == f"command {line[0]}"
    assert len(secrets) > 8
    assert all(len(one) > 8 for one in secrets)
    with threadwell.open("practice.db") as tw:
        trail = json.dumps(list(tw.audit_events()))
        assert [one for one in secrets if one in trail] == []
        assert tw.verify_audit().problem == ""


def test_what_has_an_act_of_its_own_is_recorded_by_it(capsys: pytest.CaptureFixture[str]) -> None:
    for argv, act in BY_THEMSELVES:
        assert main(argv) == 0, capsys.readouterr().err
        assert [one.by.name for one in records(act)] == ["morgan"], act
    assert records() == []


def test_python_leaves_the_same_record() -> None:
    with threadwell.open("practice.db") as tw:
        tw.set_policy("participant")
        made = tw.add_client("app", policy="participant", acts_as=MADE["doctor"])
        with pytest.raises(LookupError):
            tw.revoke_client("none")
        assert tw.of_age() == 0
    first, second, third = records()
    assert first.asked == "policy set participant"
    told = f"client add {made.client_id} app policy=participant acts_as={MADE['doctor']}"
    assert second.asked == told
    assert (third.asked, third.status) == ("client revoke none", 422)
    assert {one.by.way for one in (first, second, third)} == {"python"}

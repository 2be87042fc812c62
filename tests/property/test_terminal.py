"""Whatever is stored, or in a file, or asked for: no command sends a terminal what steers it."""

from __future__ import annotations

import json
import logging
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import threadwell
from threadwell.cli import commands, main
from threadwell.encounters import codes
from threadwell.server.logs import Line
from threadwell.shown import in_json, on_a_line, on_lines

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
HOSTILE = [
    *("\x1b[31m", "\x1b]0;title\x07", "\x1b[2J", "\x9b1A", "\x90x\x9c", "\x08\x08", "\x7f", "\r"),
    *(*BIDI, "\ufeff", "\u2028", "\x85"),
]
#: What no resource may hold, but what a message, a file or an argument may.
BELOW = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
hostile = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=4), min_size=1, max_size=6).map(
    "".join
)


def _steers(text: str) -> list[str]:
    """What must not be in what is printed."""
    return [
        c
        for c in text
        if (unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in "\n\t") or c in BIDI
    ]


@given(st.text() | hostile)
def test_text_is_made_harmless_and_stays_itself(text: str) -> None:
    assert _steers(on_a_line(text)) == []
    assert not {"\n", "\t"} & set(on_a_line(text))
    assert _steers(on_lines(text)) == []


@pytest.mark.parametrize(
    "text", ["Ana Lúcia", "佐藤", "محمد", "می‌خواهم", "👨‍👦", "e\u0301", "a  b", "☎️ 9"]
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert on_a_line(text) == on_lines(text) == in_json(text) == text


@given(st.recursive(st.text() | hostile, lambda one: st.lists(one) | st.dictionaries(hostile, one)))
def test_json_is_made_harmless_and_says_the_same(value: Any) -> None:
    shown = in_json(json.dumps(value, ensure_ascii=False))
    assert _steers(shown) == []
    assert json.loads(shown) == json.loads(json.dumps(value))


@given(hostile)
def test_a_line_of_the_log_is_one_line(text: str) -> None:
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "%s", (text,), None)
    line = Line().format(record)
    assert _steers(line) == []
    assert "\n" not in line


@settings(max_examples=1)
@given(hostile)
@example("".join(HOSTILE))
def test_no_command_steers_a_terminal(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "x.db")
        ids = _practice(Path(folder), store, text)
        ran = set()
        for argv in _commands(ids, text):
            ran.add(argv[0])
            assert _steers(_said(*argv, "--store", store)) == [], argv
        ran |= _other_commands(folder, store, text)
        assert ran | {"serve"} == {command.name for command in commands()}


def test_the_server_says_nothing_raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first lines name the store, and a store's name may be anything."""
    from threadwell.server import Ready

    monkeypatch.setattr(
        "threadwell.server.serve", lambda _settings, ready: ready(Ready("http://x/", "link")) or 0
    )
    assert _steers(_said("serve", "--store", "a\x1b[31m\u202eb.db")) == []


def _practice(folder: Path, store: str, text: str) -> dict[str, str]:
    """A store in which everything that has a name is called ``text``."""
    name = BELOW.sub("", text).strip() or "x"
    with threadwell.open(store) as tw:
        patient = tw.create_resource({"resourceType": "Patient", "name": [{"family": name}]})
        session = tw.create_resource(
            {
                "resourceType": "Encounter",
                "status": "in-progress",
                "class": codes.VIRTUAL,
                "subject": {"reference": f"Patient/{patient['id']}"},
            }
        )
        tw.create_resource(
            {
                "resourceType": "Communication",
                "status": "in-progress",
                "topic": {"text": name},
                "encounter": {"reference": f"Encounter/{session['id']}"},
            }
        )
        tw.add_client(text)
    rows = [
        ["sent", "from", "to", "text"],
        ["2025-01-01T10:00:00Z", "+12075550111", "+12075550100", text],
        ["2025-01-02T10:00:00Z", f"who {text}", "+12075550100", text],
    ]
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    (folder / "in").mkdir()
    (folder / "in" / "m.csv").write_bytes("\n".join(quoted).encode("utf-8", "replace"))
    (folder / "in" / "bad.bin").write_bytes(text.encode("utf-8", "replace") + b"\x00")
    _said("import", str(folder / "in"), "--zone", "UTC", "--store", store)
    with threadwell.open(store) as tw:
        held = tw.quarantine()[0].task
    return {
        "patient": f"Patient/{patient['id']}",
        "session": f"Encounter/{session['id']}",
        "held": held.removeprefix("Task/"),
        "folder": str(folder),
    }


def _commands(ids: dict[str, str], text: str) -> Iterator[list[str]]:
    """A command line of every command that takes a store; some of them are mistakes."""
    argument = text.replace("\x00", "")
    body = json.dumps({"resourceType": "Patient", "name": [{"text": text}], argument: 1})
    yield from (["sessions"], ["sessions", "--format", "json"])
    yield from (["expunge", argument], ["expunge", f"Patient/{argument}", "--everything", "--yes"])
    yield from (["duties", "--show"], ["reviews"], ["quarantine"], ["quarantine", ids["held"]])
    yield ["quarantine", ids["held"], "--format", "json"]
    yield from (["quarantine", argument], ["answer", argument, argument])
    session = ids["session"]
    yield from (["about", argument], ["about", session, argument], ["about", session, "--nobody"])
    yield ["about", session, ids["patient"], "--message", argument]
    yield from (["zones"], ["verify"], ["sign-in", "--url", f"http://{argument}/"], ["replay"])
    yield ["recut", "--policy", argument]
    yield from (["get", ids["patient"]], ["get", f"Patient/{argument}"], ["get", argument])
    yield from (["post", "Patient", body], ["post", "Patient", argument])
    yield from (["put", ids["patient"], body], ["patch", ids["patient"], argument])
    yield ["delete", f"Patient/{argument}"]
    yield from (["open-session", argument], ["open-session", ids["patient"], "--why", argument])
    yield from (["close", argument], ["close", session, "--why", argument])
    yield from (["reopen", argument], ["reopen", session, "--by", argument])
    yield from (["preview"], ["preview", "--policy", argument], ["preview", "--zone", argument])
    yield from (["same", argument], ["same", "--another", argument])
    yield from (["outbox"], ["outbox", "--replay", argument], ["outbox", "--drop", argument])
    yield from (["deliveries"], ["deliveries", "--replay", argument])
    yield from (["deliveries", "--drop", argument], ["deliveries", "--replay", "all"])
    yield from (["policy"], ["policy", "show", argument], ["policy", "remove", argument])
    yield from (["policy", "give", argument, argument], ["policy", "take", argument, argument])
    yield from (["policy", "free", argument], ["policy", "set", argument])
    yield from (["subscriptions"], ["subscriptions", "--allow-host", argument])
    yield ["reply", argument, argument, "--as", argument]
    yield from (["saved"], ["saved", "set", argument, text], ["saved", "remove", argument])
    yield from (["todos"], ["todos", "claim", argument, "--as", argument])
    yield from (["rules", "runs"], ["rules", "check", f"{ids['folder']}/in/m.csv"])
    yield from (["rules", "set", argument], ["rules", "try", argument, "--rule", argument])
    yield from (["thread", argument, "--close"], ["thread", argument, "--add", argument])
    yield from (["retract", argument, "--why", argument], ["correct", argument, text, "--as", "x"])
    yield from (["draft", "--as", argument], ["draft", argument, text, "--as", argument])
    yield from (["read", argument, "--as", argument], ["read", "--tell-by", argument])
    yield ["mail", "--listen", argument]
    yield ["account", "add", argument, "--channel", argument, "--set", argument]
    yield from (["account", "list"], ["account", "show", argument], ["account", "remove", argument])
    yield ["watch", f"{ids['folder']}/{argument}", "--once", "--settle", argument]
    yield ["watch", f"{ids['folder']}/none", "--once", "--people", argument]
    yield from (["client", "add", argument], ["client", "list"], ["client", "revoke", argument])
    yield ["import", f"{ids['folder']}/{argument}"]
    yield ["import", f"{ids['folder']}/in", "--unknown", "patient", "--dry-run"]
    yield ["import", f"{ids['folder']}/in", "--people", argument]
    yield ["import", f"{ids['folder']}/in", "--zone", argument]
    yield from (["user", "list"], ["user", "show", argument], ["user", "disable", argument])
    yield ["user", "invite", argument, "--first", argument, "--last", argument]
    yield from (["keys", "list"], ["keys", "make", f"{ids['folder']}/{argument}"])
    yield from (["audit"], ["audit", "verify"], ["audit", "list", "--patient", argument])
    yield from (["audit", "show", argument], ["audit", "keep", argument])
    yield from (["view", "list"], ["view", "run", argument], ["view", "run", "sessions"])
    yield ["view", "run", "messages", "--as", "json"]
    yield ["client", "show", argument]
    yield from (
        ["project", "list"],
        ["project", "create", argument],
        ["project", "rename", argument],
    )
    yield from (["allow"], ["allow", argument, "on"], ["index", "list"], ["index", "off", argument])
    yield from (["index", "on", argument], ["index", "add", f"{ids['folder']}/in/m.csv"])
    yield from (
        ["ig", "list"],
        ["ig", "add", f"{ids['folder']}/in/bad.bin"],
        ["ig", "remove", argument],
    )
    yield from (["ig", "set", argument], ["provider", "list"], ["provider", "show", argument])
    yield from (
        ["provider", "set", argument, "--issuer", argument],
        ["provider", "remove", argument],
    )
    yield ["provider", "load", f"{ids['folder']}/{argument}"]
    for path in (argument, "in"):
        yield ["load", f"{ids['folder']}/{path}", "--aside", f"{ids['folder']}/aside"]
    yield ["get", "Patient", "--debug", argument]


def _other_commands(folder: str, store: str, text: str) -> set[str]:
    """Those that take no ``--store``."""
    argument = text.replace("\x00", "")
    for argv in (
        ["copy", store, f"{folder}/y.db"],
        ["copy", f"{folder}/{argument}", store],
        ["backup", f"{folder}/{argument}", "--store", store],
        ["export", f"{folder}/out", "--store", store],
        ["export", f"{folder}/{argument}", "--store", store],
        ["backup", f"{folder}/z", "--store", f"{folder}/{argument}"],
        ["backfill", f"{folder}/{argument}", "--to", f"{folder}/filled"],
    ):
        assert _steers(_said(*argv)) == [], argv
    return {"copy", "backup", "export", "backfill"}


def _said(*argv: str) -> str:
    """What a command prints, on both streams."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        main(argv)
    return out.getvalue() + err.getvalue()

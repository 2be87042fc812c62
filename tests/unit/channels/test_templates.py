"""Texts that say what a template says are told apart from those that do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from threadwell.channels.account import Account
from threadwell.channels.templates import (
    BadTemplates,
    lacks_templates,
    template_for,
    templates_of,
    unfilled,
)

VISIT = "Your visit is on {{1}} at {{2}}."


def account(*templates: Any) -> Account:
    return Account("wa", "whatsapp_cloud", (), {"templates": json.dumps(templates)})


def template(text: str, **more: Any) -> dict[str, Any]:
    return {"id": "visit", "text": text, **more}


@pytest.mark.parametrize(
    ("text", "said", "filled"),
    [
        (VISIT, "Your visit is on Tuesday at 9:30.", {"1": "Tuesday", "2": "9:30"}),
        (VISIT, "  Your visit is on Tuesday at 9:30.\r\n", {"1": "Tuesday", "2": "9:30"}),
        ("{{1}} is ready", "Your order is ready", {"1": "Your order"}),
        ("Call {{ number }}", "Call 555", {"number": "555"}),
        ("a\nb {{1}}", "a\r\nb c", {"1": "c"}),
        ("We are closed.", "We are closed.", {}),
        ("{{1}}, {{1}}!", "Ana, Ana!", {"1": "Ana"}),
        ("{{1}} at {{2}}", "one at two at three", {"1": "one", "2": "two at three"}),
        ("{{1}}", "anything", {"1": "anything"}),
        ("{{1}}, {{1}}!", "Ana, Bea!", None),
        (VISIT, "Your visit is on Tuesday at 9:30", None),
        (VISIT, "Your visit is on  at 9:30.", None),
        (VISIT, "Your visit is on Tuesday.", None),
        (VISIT, "your visit is on Tuesday at 9:30.", None),
        (VISIT, "Your visit is on Tue\nsday at 9:30.", None),
        (VISIT, "Your visit is on Tue     sday at 9:30.", None),
        (VISIT, VISIT, None),
        ("We are closed.", "We are closed. Sorry", None),
        ("aba{{1}}aba", "ababa", None),
    ],
)
def test_what_says_what_a_template_says(text: str, said: str, filled: Any) -> None:
    found = template_for(said, account(template("no such {{9}} words"), template(text)))
    assert (found and found[1]) == filled
    if found:
        assert found[0].text == text


def test_much_text_is_matched_at_once() -> None:
    slots = " x ".join(f"{{{{{number}}}}}" for number in range(100))
    assert template_for("x " * 100_000 + "y", account(template(f"{slots} end"))) is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("{}", "a list"),
        ("[1]", "template 1 is no object"),
        (json.dumps([template("a"), {"text": "b"}]), "template 2 has no id"),
        (json.dumps([{"id": "a"}]), "template 1 has no text"),
        (json.dumps([template(1)]), "template 1: name, id, text"),
        (json.dumps([template("{{1}}{{2}}")]), "two slots with nothing between"),
        (json.dumps([template("a")] * 251), "at most 250"),
    ],
)
def test_templates_that_cannot_be_read_are_told(said: str, why: str) -> None:
    broken = Account("wa", "whatsapp_cloud", (), {"templates": said})
    assert why in lacks_templates(broken)
    with pytest.raises(BadTemplates):
        templates_of(broken)
    assert template_for("a", broken) is None


def test_an_account_needs_none() -> None:
    assert (templates_of(Account("a", "twilio")), lacks_templates(Account("a", "twilio"))) == (
        (),
        "",
    )
    (one,) = templates_of(account(template(VISIT, language="de")))
    assert (one.name, one.language, one.slots) == ("visit", "de", ("1", "2"))


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("Your visit is on {{1}} at 9.", "{{1}}"),
        ("Your visit is on Tuesday at {{ 2 }}.", "{{ 2 }}"),
        ("What does {{name}} mean?", ""),
        ("Hello", ""),
    ],
)
def test_what_nobody_has_filled_in(text: str, slot: str) -> None:
    assert unfilled(text, templates_of(account(template(VISIT)))) == slot

"""Message-IDs and what refers to them."""

from __future__ import annotations

import pytest

from threadwell.channels.email.identifiers import gmail_ids, made_id, message_id, named_ids


@pytest.mark.parametrize(
    ("value", "id_"),
    [
        ("<a@example.org>", "a@example.org"),
        ("  <a@example.org> (comment)", "a@example.org"),
        ("<a\t@example.org>", "a@example.org"),
        ("a@example.org", "a@example.org"),
        ("<a@example.org", "a@example.org"),
        ("<a@b@example.org>", "a@b@example.org"),
        ("<no-at-sign>", "no-at-sign"),
        ("", ""),
        ("<>", ""),
    ],
)
def test_message_id(value: str, id_: str) -> None:
    assert message_id(value) == id_


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        (["<a@x> <b@x>"], ["a@x", "b@x"]),
        (["<a@x><b@x>,<a@x>"], ["a@x", "b@x"]),
        (["<a@x>", "<b@x>"], ["a@x", "b@x"]),
        (["<a@x>; from ana@example.org on Wed, 10 Apr 2024"], ["a@x"]),
        (["Your message of Wednesday <a@x>"], ["a@x"]),
        (["Ana's message as of Apr 10, 9:56am."], []),
        (["a@x b@x"], ["a@x", "b@x"]),
        (["ana@example.org wrote"], []),
        (["<ana@example.org>"], []),
        (["=?utf-8?q?=3Ca=40x=3E?="], ["a@x"]),
        (["<a@x> <not an id> <b@x"], ["a@x"]),
        (["<long.\t id@x>"], ["long.id@x"]),
        ([""], []),
    ],
)
def test_named_ids(values: list[str], ids: list[str]) -> None:
    assert named_ids(values, {"ana@example.org"}) == ids


def test_copies_of_a_mail_without_id_get_one_id() -> None:
    copies = [
        b"Hello\nFrom here on\n",
        b"Hello\r\nFrom here on\r\n\r\n",
        b"Hello\n>From here on",
        b"Hello\n>>From here on\n",
    ]
    assert len({made_id(copy, "d", "f", "", "s") for copy in copies}) == 1


def test_other_mails_get_other_ids() -> None:
    made = {
        made_id(b"one", "d", "f", "", "s"),
        made_id(b"two", "d", "f", "", "s"),
        made_id(b"one", "d", "f", "", "other"),
        made_id(b"one", "d", "other", "", "s"),
        made_id(b"one", "other", "f", "", "s"),
        made_id(b"one", "df", "", "", "s"),
        made_id(b"one", "d", "f", "to Ana", "s"),
        made_id(b"one", "d", "f", "to Ben", "s"),
    }
    assert len(made) == 8


@pytest.mark.parametrize(
    ("from_line", "thread", "ids"),
    [
        (
            "From 1500000000000000010@xxx Wed Apr 10 09:00:00 +0000 2024",
            "1500000000000000009",
            (
                "1500000000000000010@gmail.threadwell.invalid",
                ("1500000000000000009@gmail.threadwell.invalid",),
            ),
        ),
        (
            "From 1500000000000000010@xxx Wed Apr 10 09:00:00 +0000 2024",
            " 1500000000000000010",
            ("1500000000000000010@gmail.threadwell.invalid", ()),
        ),
        ("From 1500000000000000010@xxx Wed Apr 10 09:00:00 +0000 2024", "", ("", ())),
        ("From ana@example.org Wed Apr 10 09:00:00 2024", "1500000000000000010", ("", ())),
        ("", "1500000000000000010", ("", ())),
    ],
)
def test_gmails_own_numbers(from_line: str, thread: str, ids: tuple[str, tuple[str, ...]]) -> None:
    assert gmail_ids(from_line, thread) == ids

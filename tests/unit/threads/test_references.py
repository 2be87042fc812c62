"""Mail threads: who belongs with whom, under which key, and who answers whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from threadwell.threads.references import Mail, parents, thread_keys

NINE = datetime(2024, 4, 10, 9, 0, tzinfo=UTC)


def mail(own: str, *references: str, answers: str = "", at: int = 0, about: str = "ana") -> Mail:
    """A mail sent ``at`` minutes past nine."""
    return Mail(own, references, answers, NINE + timedelta(minutes=at), about)


@pytest.mark.parametrize(
    ("mails", "roots"),
    [
        pytest.param([mail("a"), mail("b", "a"), mail("c", "a", "b")], "aaa", id="a chain"),
        pytest.param([mail("a"), mail("b", answers="a")], "aa", id="In-Reply-To alone"),
        pytest.param([mail("a"), mail("b")], "ab", id="nothing in common"),
        pytest.param([mail("b", "x"), mail("c", "x")], "xx", id="through a mail not seen"),
        pytest.param([mail("c", "a", "b"), mail("d", "b")], "aa", id="a shortened list"),
        pytest.param([mail("a", "a"), mail("b", "a", "b")], "aa", id="a mail that names itself"),
        pytest.param(
            [mail("a", at=5), mail("b", at=1), mail("c", "b", "a", at=9)],
            "bbb",
            id="an answer to two threads",
        ),
        pytest.param([mail("a", "b", at=1), mail("b", "a", at=2)], "aa", id="a loop"),
        pytest.param(
            [mail("a"), mail("b", "a"), mail("c", "a", about="ben")],
            "aaa",
            id="the same root for two groups",
        ),
    ],
)
def test_root_of_each_mail(mails: list[Mail], roots: str) -> None:
    assert [key.root for key in thread_keys(mails)] == list(roots)


def test_two_groups_never_share_a_thread() -> None:
    asked = mail("a")
    forwarded = mail("b", "a", about="ben")
    answered = mail("c", "a", "b", about="ben")

    keys = thread_keys([asked, forwarded, answered])

    assert keys[0] != keys[1]
    assert keys[1] == keys[2]
    assert [key.group for key in keys] == ["ana", "ben", "ben"]


@pytest.mark.parametrize(
    ("late", "kept"),
    [
        pytest.param(mail("z", "a", "b", at=90), True, id="an answer"),
        pytest.param(mail("a", at=-60), True, id="the root that answers had named"),
        pytest.param(mail("x", at=-60), True, id="an older mail of its own"),
        pytest.param(mail("b", "a", "q", at=3), True, id="a copy that names more"),
        pytest.param(mail("a", "older", at=-60), False, id="the root, which has an ancestor"),
    ],
)
def test_key_changes_only_for_an_older_ancestor(late: Mail, kept: bool) -> None:
    known = [mail("b", "a", at=1), mail("c", "a", "b", at=2)]
    assert (thread_keys([late, *known])[1:] == thread_keys(known)) is kept


@pytest.mark.parametrize(
    ("mails", "answered"),
    [
        pytest.param([mail("a"), mail("b", "a")], ["", "a"], id="the last reference"),
        pytest.param(
            [mail("a"), mail("b"), mail("c", "a", "b", answers="a")],
            ["", "", "a"],
            id="In-Reply-To wins",
        ),
        pytest.param(
            [mail("b"), mail("c", "a", "b", answers="x")], ["", "b"], id="In-Reply-To not seen"
        ),
        pytest.param([mail("b", "a")], [""], id="not seen"),
        pytest.param([mail("a"), mail("c", "a", "b")], ["", ""], id="a further ancestor"),
        pytest.param([mail("a"), mail("b", "a", about="ben")], ["", ""], id="another group"),
        pytest.param([mail("a", answers="a")], [""], id="itself"),
        pytest.param(
            [mail("a", "c", at=2), mail("b", "a", at=1), mail("c", "b", at=3)],
            ["c", "", "b"],
            id="a loop is cut at the earliest",
        ),
    ],
)
def test_mail_that_is_answered(mails: list[Mail], answered: list[str]) -> None:
    assert parents(mails) == answered

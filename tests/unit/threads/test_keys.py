"""What names circles and threads."""

from __future__ import annotations

import pytest

from threadwell.threads import circle_key, thread_key

MANY = [f"Patient/{n}" for n in range(9)]


@pytest.mark.parametrize(
    ("patients", "expected"),
    [
        (["Patient/a"], "Patient/a"),
        (["Patient/b", "Patient/a"], "Patient/a+Patient/b"),
        (["Patient/a", "Patient/a"], "Patient/a"),
    ],
)
def test_circle_key(patients, expected):
    assert circle_key(patients) == expected


def test_a_large_circle_is_named_by_a_digest_of_its_patients():
    key = circle_key(MANY)
    assert key.startswith("sha256:")
    assert key == circle_key(reversed(MANY))
    assert key != circle_key([*MANY[1:], "Patient/x"])


def test_the_same_thread_of_two_circles_is_two():
    assert thread_key("email", "a@x", "Patient/a") != thread_key("email", "a@x", "Patient/b")
    assert thread_key("email", "a@x", "Patient/a") != thread_key("sms", "a@x", "Patient/a")

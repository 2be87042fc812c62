"""Mail threads depend on the set of mails alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from threadwell.threads.references import Mail, parents, thread_keys

IDS = st.sampled_from("abcdefgh")
MAILS = st.lists(
    st.builds(
        Mail,
        external_id=IDS,
        references=st.lists(IDS, max_size=4).map(tuple),
        in_reply_to=st.one_of(st.just(""), IDS),
        sent=st.integers(0, 5).map(lambda m: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=m)),
        group=st.sampled_from(["ana", "ben"]),
    ),
    max_size=12,
)


@given(MAILS, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(mails: list[Mail], random) -> None:
    again = [*mails, *random.choices(mails, k=3)] if mails else []
    random.shuffle(again)
    assert dict(zip(again, thread_keys(again), strict=True)) == dict(
        zip(mails, thread_keys(mails), strict=True)
    )
    assert dict(zip(again, parents(again), strict=True)) == dict(
        zip(mails, parents(mails), strict=True)
    )


@given(MAILS)
def test_linked_mails_of_a_group_share_a_thread_and_groups_never_do(mails: list[Mail]) -> None:
    keys = thread_keys(mails)
    for one, key in zip(mails, keys, strict=True):
        assert key.group == one.group
        for other, other_key in zip(mails, keys, strict=True):
            if other.external_id in one.references and other.group == one.group:
                assert other_key == key


@given(MAILS)
def test_following_parents_ends(mails: list[Mail]) -> None:
    answered = {
        (one.group, one.external_id): parent
        for one, parent in zip(mails, parents(mails), strict=True)
    }
    for group, own in answered:
        at, steps = own, 0
        while at:
            at = answered[group, at]
            steps += 1
            assert steps <= len(answered)

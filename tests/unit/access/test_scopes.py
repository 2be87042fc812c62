"""SMART's scopes: what they mean, what is granted of them, and how they limit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadwell.access.policy import CREDENTIALS, Interaction
from threadwell.access.reading import compiled
from threadwell.access.roles import role
from threadwell.access.scopes import granted, narrowed, parse_scope, within
from threadwell.api.claims import Claims
from threadwell.api.oauth.clients import Client
from threadwell.api.oauth.limits import limits_of


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("patient/Observation.rs", ("patient", "Observation", "rs", "")),
        ("user/*.cruds", ("user", "*", "cruds", "")),
        ("system/Patient.read", ("system", "Patient", "rs", "")),
        ("user/Patient.write", ("user", "Patient", "cud", "")),
        ("user/*.*", ("user", "*", "cruds", "")),
        ("user/Communication.rs?status=completed", ("user", "Communication", "rs", "status=comp")),
        ("user/Patient.sr", None),
        ("user/Patient.", None),
        ("user/Patient", None),
        ("user/Patient.rr", None),
        ("user/Nothing.rs", None),
        ("user/patient.rs", None),
        ("everybody/Patient.rs", None),
        ("user/*.rs?status=completed", None),
        ("user/Patient.rs?", None),
        ("user/Patient.rs?nothing=1", None),
        ("user/Patient.rs?_count=1", None),
        ("user/Patient.rs?_include=Patient:organization", None),
        # Whether a resource is within a value set hangs on what is stored.
        ("user/Condition.rs?code:not-in=http://clinic.example/vs", None),
        ("user/Condition.rs?_filter=not (code in http://clinic.example/vs)", None),
        ("openid", None),
        ("", None),
    ],
)
def test_what_a_scope_means(text: str, meaning: tuple[str, ...] | None) -> None:
    found = parse_scope(text)
    if meaning is None:
        assert found is None
    else:
        assert found is not None
        assert found[:3] == meaning[:3]
        assert found.query.startswith(meaning[3])


@pytest.mark.parametrize(
    ("asked", "allowed", "expected"),
    [
        ("openid fhirUser offline_access", "", "openid fhirUser offline_access"),
        ("openid openid more", "", "openid"),
        ("user/Patient.rs patient/Patient.rs", "", "user/Patient.rs patient/Patient.rs"),
        ("system/Patient.rs", "", ""),
        ("openid system/Patient.rs", "", ""),
        ("openid user/Patient.rs system/Patient.rs", "", "openid user/Patient.rs"),
        ("user/Patient.r user/Patient.c", "user/*.rs", "user/Patient.r"),
        ("user/*.rs", "user/Patient.rs", ""),
        ("user/Patient.read", "user/Patient.rs", "user/Patient.read"),
        ("user/Task.rs", "user/Task.rs?status=requested", ""),
        ("user/Task.r?status=requested", "user/Task.rs", "user/Task.r?status=requested"),
        ("openid offline_access", "user/Patient.rs", "openid"),
    ],
)
def test_what_is_granted(asked: str, allowed: str, expected: str) -> None:
    found = granted(asked.split(), allowed.split(), ["patient", "user"])
    assert " ".join(found) == expected


def test_only_so_many_are_read() -> None:
    assert len(granted([f"user/Patient.rs?_id={n}" for n in range(999)], (), ["user"])) == 100


_LETTERS = ["r", "s", "rs", "cud", "cruds", "read", "write", "*"]
_TYPES = ["Patient", "Encounter", "Communication", "Claim", "*"]
_SCOPES = st.builds(
    "{}/{}.{}".format,
    st.sampled_from(["patient", "user", "system"]),
    st.sampled_from(_TYPES),
    st.sampled_from(_LETTERS),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_SCOPES, max_size=4),
    st.sampled_from(["participant", "billing", "supervisor", "system", None]),
    st.sampled_from(_TYPES[:4]),
    st.sampled_from(list(Interaction)),
    st.sampled_from(["Patient/1", ""]),
)
def test_scopes_only_narrow(scopes, name, type_, interaction, patient) -> None:
    policy = compiled([(role(name), {})], "Practitioner/1") if name else None
    found = narrowed(policy, scopes, "Practitioner/1", patient).of(type_, interaction)
    meant = [one for text in scopes if (one := parse_scope(text)) is not None]
    by_scope = any(
        one.type in ("*", type_)
        and interaction in one.interactions
        and (one.context != "patient" or patient)
        for one in meant
    )
    before = policy.of(type_, interaction) if policy else None
    allowed = by_scope and (before is None or bool(before))
    assert bool(found) is allowed
    for entry in found if before is not None else ():
        # Whatever holds for it held before, and nothing that was hidden is shown.
        assert any(
            set(one.filters) <= set(entry.filters)
            and one.hidden <= entry.hidden
            and one.fixed <= entry.fixed
            for one in before or ()
        )
    if any(one.context == "patient" for one in meant) and all(
        one.context == "patient" for one in meant
    ):
        assert all(entry.filters for entry in found)


def test_who_may_not_write_hooks_does_not_see_their_secrets() -> None:
    (entry,) = narrowed(None, ["user/*.rs"], "").of("Subscription", Interaction.READ)
    assert entry.hidden == CREDENTIALS
    (entry,) = narrowed(None, ["user/*.cruds"], "").of("Subscription", Interaction.READ)
    assert not entry.hidden


def test_within() -> None:
    assert within(["user/Patient.r", "user/Task.r", "openid"], ["user/Patient.rs"]) == [
        "user/Patient.r"
    ]


@pytest.mark.parametrize(
    ("asked", "most", "is_limited", "limits"),
    [
        ((), (), False, None),
        (("openid",), (), False, None),
        (("openid",), (), True, ()),
        (("user/Patient.rs",), (), False, ("user/Patient.rs",)),
        # What meant something once, and does not any more, is no leave to do everything.
        (("user/Patient.rs?gone=1",), (), False, ("user/Patient.rs?gone=1",)),
        (("user/Patient.rs?gone=1",), ("user/*.rs",), False, ()),
        ((), ("user/*.rs",), False, ("user/*.rs",)),
        (("openid",), ("user/*.rs",), True, ()),
    ],
)
def test_what_was_limited_stays_so(asked, most, is_limited, limits) -> None:
    client = Client("1", "app", "", "", admin=False, scopes=most)
    found = limits_of(client, Claims("1", scopes=asked), is_limited=is_limited)
    assert found == limits
    if found is not None and "gone" in "".join(found):
        assert not narrowed(None, found, "").entries

"""Who takes part in a session, as what and from when to when."""

from __future__ import annotations

import pytest

from threadwell.encounters.participants import Spoken, participants

MINUTE = 60_000_000
ALICE, BOB, MOTHER, ANA = (
    "Practitioner/alice",
    "PractitionerRole/bob",
    "RelatedPerson/mother",
    "Patient/ana",
)


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ([(0, ANA, [ALICE])], ["PART alice 0-0"]),
        ([(0, ANA, [ALICE]), (5, ANA, [ALICE])], ["PART alice 0-5"]),
        ([(0, ANA, [ALICE]), (3, ALICE, [ANA]), (5, ANA, [ALICE])], ["PPRF alice 3-3"]),
        (
            [(0, MOTHER, [ALICE, BOB]), (1, BOB, [MOTHER, ALICE]), (2, ALICE, [MOTHER])],
            ["PART mother 0-0", "PPRF bob 1-1", "SPRF alice 2-2"],
        ),
        ([(0, "Organization/practice", [ANA]), (1, "", [""])], []),
    ],
)
def test_participants(spoken, expected):
    told = participants([Spoken(at * MINUTE, who, tuple(to)) for at, who, to in spoken])
    assert [_in_a_word(one) for one in told] == expected


def _in_a_word(participant):
    (type_,) = participant["type"]
    start, end = (int(participant["period"][name][14:16]) for name in ("start", "end"))
    who = participant["individual"]["reference"].partition("/")[2]
    return f"{type_['coding'][0]['code']} {who} {start}-{end}"

"""What a person has said of whom messages are about outlives all that is done to a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import threadwell

HEAD = "sent,from,to,text\n"
PEOPLE = "kind,id,family,given,phone,patient\n"
MOTHER, FATHER, OFFICE = "+12075550122", "+12075550133", "+12075550100"
NAMES = ("Leo", "Mia", "Tom", "Ida", "Ben", "Eva", "Max", "Zoe", "Ned", "Amy")
#: Two are named in the key of their circle; of ten that key is a digest.
CIRCLES = {"two": NAMES[:2], "ten": NAMES}


def related(phone: str, who: str, children: tuple[str, ...]) -> str:
    return "".join(
        f"related-person,{who}-{one.lower()},Castellano,{who.title()},{phone},{one.lower()}\n"
        for one in children
    )


class Family:
    """A mother writes about Leo, and once about Mia; the father's phone is not known yet."""

    def __init__(self, tw: threadwell.Threadwell, children: tuple[str, ...]) -> None:
        self.tw, self._children = tw, children
        self._rows = [
            f"2025-03-08T08:00:00,{MOTHER},{OFFICE},Leo has a fever\n",
            f"2025-03-08T08:05:00,{OFFICE},{MOTHER},How high is it?\n",
            f"2025-03-08T08:10:00,{MOTHER},{OFFICE},and Mia's cough is back\n",
            f"2025-03-08T08:20:00,{FATHER},{OFFICE},I can fetch it today\n",
        ]
        self.people = PEOPLE + "".join(
            f"patient,{one.lower()},Castellano,{one},,\n" for one in children
        )
        self.people += related(MOTHER, "rosa", children)
        self.take()
        assert len(tw.quarantine()) == 1
        found = {one.name.partition(" ")[0]: one.id for one in tw.find_patients("Castellano")}
        self.mia = f"Patient/{found['Mia']}"

    def take(self, *rows: str) -> threadwell.Report:
        self._rows += rows
        Path("people.csv").write_text(self.people)
        Path("messages.csv").write_text(HEAD + "".join(self._rows))
        return self.tw.import_messages(
            "messages.csv", people="people.csv", zone="UTC", scope="patient", owner=[OFFICE]
        )

    def father_is_known(self) -> threadwell.Report:
        self.people += related(FATHER, "juan", self._children)
        Path("people.csv").write_text(self.people)
        return self.tw.replay(people="people.csv", owner=[OFFICE])

    @property
    def session(self) -> dict[str, Any]:
        (one,) = self.tw.sessions()
        return self.tw.read_resource("Encounter", one.id)

    def headers(self) -> list[dict[str, Any]]:
        live = {"part-of:missing": "true", "status:not": "entered-in-error"}
        return self.tw.search_all("Communication", live)

    def messages(self) -> list[dict[str, Any]]:
        return self.tw.search_all("Communication", {"part-of:missing": "false", "_sort": "sent"})

    def whom(self) -> tuple[set[str], set[str]]:
        """Whom the session and its headers are about, and whom the messages."""
        sessions = {who for one in self.tw.sessions() for who in (one.patients or ("",))}
        subjects = [
            one.get("subject", {}).get("reference", "")
            for one in [*self.headers(), *self.messages()]
        ]
        return sessions, set(subjects)


def by_name(family: Family) -> None:
    family.tw.about(f"Encounter/{family.session['id']}", [family.mia])


def by_header(family: Family) -> None:
    (header,) = family.headers()
    family.tw.about(f"Communication/{header['id']}", [family.mia])


def by_part(family: Family) -> None:
    some = [one["id"] for one in family.messages()]
    family.tw.about(f"Encounter/{family.session['id']}", [family.mia], messages=some)


def by_put(family: Family) -> None:
    family.tw.update_resource({**family.session, "subject": {"reference": family.mia}})


def by_patch(family: Family) -> None:
    subject = {"reference": family.mia}
    patch = [{"op": "replace", "path": "/subject", "value": subject}]
    family.tw.patch_resource("Encounter", family.session["id"], patch)


def by_transaction(family: Family) -> None:
    entries = [
        {
            "resource": {**one, "subject": {"reference": family.mia}},
            "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
        }
        for one in [family.session, *family.headers()]
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    family.tw.request("POST", "", bundle)


def by_operation(family: Family) -> None:
    parameter = {"name": "patient", "valueReference": {"reference": family.mia}}
    body = {"resourceType": "Parameters", "parameter": [parameter]}
    family.tw.request("POST", f"Encounter/{family.session['id']}/$about", body)


HOW = [by_name, by_header, by_part, by_put, by_patch, by_transaction, by_operation]


@pytest.mark.parametrize("circle", CIRCLES)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize("how", HOW, ids=lambda how: how.__name__)
def test_it_outlives_replay_late_messages_imports_and_new_cuts(
    how: Callable[[Family], None],
    kind: str,
    circle: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.chdir(tmp_path)
    store = "x.db" if kind == "sqlite" else request.getfixturevalue("empty_postgres_url")
    with threadwell.open(store) as tw:
        family = Family(tw, CIRCLES[circle])
        sessions, _ = family.whom()
        assert len(sessions) == 2
        how(family)
        right = ({family.mia}, {family.mia})
        assert family.father_is_known().replayed == 1
        assert family.whom() == right
        family.take()
        family.take(
            f"2025-03-08T08:15:00,{MOTHER},{OFFICE},are you there?\n",
            f"2025-03-08T07:00:00,{OFFICE},{MOTHER},Good morning\n",
        )
        assert family.whom() == right
        before = {(one["id"], one["meta"]["versionId"]) for one in tw.search_all("Communication")}
        assert family.take().counts.new == 0
        assert before == {
            (one["id"], one["meta"]["versionId"]) for one in tw.search_all("Communication")
        }
        for cut in ({"policy": "inactivity-gap", "gap": "2m"}, {"policy": "per-thread"}):
            tw.recut(**cut)
            assert family.whom()[0] - {""} == {family.mia}
        tw.recut(policy="per-day")
        assert family.whom() == right
        assert [one for one in tw.verify() if one.severity == "error"] == []
        # Who is named later is named all the same.
        Path("messages.csv").write_text(
            f"{HEAD}2025-03-08T09:00:00,{MOTHER},{OFFICE},and now Leo threw up\n"
        )
        tw.import_messages("messages.csv")
        assert family.whom()[0] > {family.mia}

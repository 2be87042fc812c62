"""On the page of a thread people join and leave it, and it is closed and opened again."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest


@pytest.fixture
def ines(family: Any, browser_as: Any, put: Any) -> Any:
    put(
        {
            "resourceType": "Practitioner",
            "id": "omar",
            "name": [{"given": ["Omar"], "family": "Lund"}],
        }
    )
    return browser_as("ines", "Dr. Ines Alvarado")


@pytest.fixture
def path(ines: Any, family: Any) -> str:
    page = ines.get(f"/sessions/{family.session}").text
    (found,) = re.findall(r'href="(/sessions/[^"]+/threads/[^"]+)"', page)
    return str(found)


def names(page: str) -> list[str]:
    """Those who take part, as the page has them."""
    members = page.partition('id="members"')[2].partition("</form>")[0]
    return [unescape(one) for one in re.findall(r"<span><bdi>([^<]+)</bdi><br>", members)]


def header(family: Any) -> dict[str, Any]:
    (one,) = [c for c in family.all("Communication") if "partOf" not in c]
    return dict(one)


def test_somebody_joins_by_name_and_is_taken_out(ines: Any, path: str, family: Any) -> None:
    before = names(ines.get(path).text)
    assert "Omar Lund" not in before
    found = ines.post(path, act="find", name="lund").text
    assert 'value="add Practitioner/omar"' in found
    answer = ines.post(path, act="add Practitioner/omar")
    assert answer.headers["location"] == f"{path}?done=add#taking-part"
    page = ines.get(f"{path}?done=add").text
    assert names(page) == [*before, "Omar Lund"]
    assert "They take part from now on." in page
    # Who is there already is not offered.
    assert "add Practitioner/omar" not in ines.post(path, act="find", name="lund").text
    acts = [t for t in family.all("Task") if t["code"]["coding"][0]["code"] == "add-participant"]
    assert [one["requester"]["reference"] for one in acts] == ["Practitioner/ines"]
    out = ines.post(path, act="remove Practitioner/omar", why="Away")
    assert out.headers["location"] == f"{path}?done=remove#taking-part"
    assert names(ines.get(path).text) == before
    assert "Omar Lund" not in ines.get(f"/sessions/{family.session}").text.partition("<aside")[0]


def test_a_name_that_nobody_has_and_somebody_who_is_none(ines: Any, path: str) -> None:
    assert (
        "Nobody else is called <bdi>&lt;b&gt;</bdi>" in ines.post(path, act="find", name="<b>").text
    )
    refused = ines.post(path, act="add Practitioner/nobody")
    assert refused.status_code == 422
    assert "There is no Practitioner/nobody who could take part" in refused.text
    assert ines.post(path, act="add Group/x").status_code == 422
    assert ines.post(path, act="press").status_code == 400


def test_a_thread_is_closed_with_its_session_and_opened_again(
    ines: Any, path: str, family: Any
) -> None:
    session = f"/sessions/{family.session}"
    pill = re.compile(r'<span class="pill[^"]*">(\w+)</span>')
    page = ines.get(path).text
    # It is finished already, as the import has found it.
    assert ("It is closed" in page, header(family)["status"]) == (True, "completed")
    assert ines.post(path, act="reopen").headers["location"] == f"{path}?done=reopen#state"
    assert header(family)["status"] == "in-progress"
    assert pill.findall(ines.get(session).text)[0] == "Open"
    assert "that is closed with it" in ines.get(path).text
    assert ines.post(path, act="close", why="All is said").status_code == 303
    assert header(family)["status"] == "completed"
    assert pill.findall(ines.get(session).text)[0] == "Finished"
    acts = [t for t in family.all("Task") if t["code"]["coding"][0]["code"] == "close-session"]
    assert acts[-1]["requester"]["reference"] == "Practitioner/ines"


def test_there_is_no_page_of_another_sessions_thread(ines: Any, path: str, visitor: Any) -> None:
    thread = path.rpartition("/")[2]
    assert ines.get(f"/sessions/none/threads/{thread}").status_code == 404
    assert ines.post(f"/sessions/none/threads/{thread}", act="close").status_code == 404
    assert ines.get(f"{path}x").status_code == 404
    other = {"origin": "https://elsewhere.example"}
    assert ines.post(path, headers=other, act="close").status_code == 403

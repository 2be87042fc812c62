"""Search parameters of a store's own, and those of R4 that it leaves out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from threadwell.fhir.outcome import FhirError
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import State
from threadwell.fhir.search.pairs import pairs
from threadwell.fhir.search.parse import parse_query
from threadwell.stores.contract import DEFAULT_PROJECT, StoreError
from threadwell.stores.suite.scenario import Contract, Desk, scenario

_URGENCY = "https://practice.example/urgency"
_OTHER = "0f3b5b0e-7a5e-4a51-9a1c-4a9d4c1c1e52"


def _parameter(id_: str = "urgency", **members: Any) -> Resource:
    return {
        "resourceType": "SearchParameter",
        "id": id_,
        "url": f"https://practice.example/SearchParameter/{id_}",
        "name": "Urgency",
        "description": "How soon an answer is due",
        "status": "active",
        "code": "urgency",
        "base": ["Communication"],
        "type": "token",
        "expression": f"Communication.extension('{_URGENCY}').value",
        **members,
    }


def _message(id_: str, urgency: str = "", text: str = "") -> Resource:
    found: Resource = {"resourceType": "Communication", "id": id_, "status": "completed"}
    if urgency:
        found["extension"] = [{"url": _URGENCY, "valueCode": urgency}]
    if text:
        found["payload"] = [{"contentString": text}]
    return found


async def _whole(desk: Desk) -> None:
    while (await desk.store.index(DEFAULT_PROJECT)).pending:
        pass


async def _ids(desk: Desk, asked: str, type_: str = "Communication") -> list[str]:
    home = await desk.store.home(DEFAULT_PROJECT, anew=True)
    query = parse_query(type_, pairs(asked), bases=home)
    return [one.id for one in (await desk.store.search(DEFAULT_PROJECT, query)).matches]


async def _has(desk: Desk, asked: str, ids: Iterable[str]) -> bool:
    return sorted(await _ids(desk, asked)) == sorted(ids)


class OwnParameters(Contract):
    """``home``, ``parameters``, ``change_parameters`` and ``index``."""

    @scenario
    async def test_what_is_there_and_what_comes_is_found(self, desk: Desk) -> None:
        await desk.put(_message("a", "high"), _message("b", "low"), _message("c"))
        await desk.put(_parameter())
        await desk.put(_message("d", "high"))
        await _whole(desk)
        await desk.put(_message("e", "high"), _message("a", "low"))
        for asked, ids in (
            ("urgency=high", "de"),
            ("urgency=low", "ab"),
            ("urgency:not=high", "abc"),
            ("urgency:missing=true", "c"),
            ("urgency:missing=false", "abde"),
        ):
            assert await _has(desk, asked, ids), asked
        assert (await _ids(desk, "_sort=urgency,_id"))[:3] == ["c", "d", "e"]
        await desk.commit(desk.deletion(await desk.must_read("Communication", "e")))
        assert await _has(desk, "urgency=high", "d")

    @scenario
    async def test_it_goes_through_chains(self, desk: Desk) -> None:
        patients = {
            "resourceType": "SearchParameter",
            **_parameter("plan", code="plan", base=["Patient"], type="string"),
            "expression": "Patient.extension('https://practice.example/plan').value",
        }
        about = _parameter(
            "about-plan",
            code="regards",
            type="reference",
            expression="Communication.extension('https://practice.example/regards').value",
            target=["Patient"],
        )
        plan = {"url": "https://practice.example/plan", "valueString": "Gold"}
        regards = {
            "url": "https://practice.example/regards",
            "valueReference": {"reference": "Patient/ana"},
        }
        await desk.put(
            {"resourceType": "Patient", "id": "ana", "extension": [plan]},
            {"resourceType": "Patient", "id": "ben"},
            {**_message("a"), "subject": {"reference": "Patient/ana"}},
            {**_message("b"), "extension": [regards]},
            patients,
            about,
        )
        await _whole(desk)
        assert await _has(desk, "subject:Patient.plan=gold", "a")
        assert await _has(desk, "regards.plan=gold", "b")
        assert await _has(desk, "regards=Patient/ana", "b")
        assert await _ids(desk, "_has:Communication:regards:status=completed", "Patient") == ["ana"]

    @scenario
    async def test_what_is_not_whole_is_refused(self, desk: Desk) -> None:
        await desk.put(_message("a", "high"), _parameter())
        state = (await desk.store.parameters(DEFAULT_PROJECT)).listed[0].state
        if state is State.INDEXING:
            with pytest.raises(FhirError, match="is being indexed"):
                await _ids(desk, "urgency=high")
        await _whole(desk)
        assert await _ids(desk, "urgency=high") == ["a"]

    @scenario
    @pytest.mark.parametrize(
        "members",
        [
            {"status": "draft"},
            {"expression": "Communication.nothing"},
            {"expression": "Patient.name"},
            {"expression": "Communication.status", "type": "date"},
            {"base": ["Resource"]},
            {"code": "sent", "type": "date", "expression": "Communication.sent"},
        ],
    )
    async def test_what_cannot_be_used_is_as_none(
        self, desk: Desk, members: dict[str, Any]
    ) -> None:
        await desk.put(_parameter(**members))
        assert (await desk.store.parameters(DEFAULT_PROJECT)).listed == ()

    @scenario
    async def test_the_first_has_its_code(self, desk: Desk) -> None:
        await desk.put(_message("a", "high"), _parameter(), _parameter("second", type="string"))
        await _whole(desk)
        assert await _ids(desk, "urgency=high") == ["a"]
        (one,) = (await desk.store.parameters(DEFAULT_PROJECT)).listed
        assert one.of.id == "urgency"

    @scenario
    async def test_a_changed_one_is_indexed_anew(self, desk: Desk) -> None:
        await desk.put(_message("a", "high", "Low on pills"), _message("b", "low"), _parameter())
        await _whole(desk)
        said = "Communication.payload.content.as(string)"
        await desk.put(_parameter(type="string", expression=said))
        await desk.put(_message("b", "low", "lower"))
        await _whole(desk)
        assert await _has(desk, "urgency=low", "ab")
        await desk.put(_parameter(status="retired"))
        await _whole(desk)
        with pytest.raises(FhirError, match="Unknown search parameter: urgency"):
            await _ids(desk, "urgency=low")
        await desk.put(_message("a", "low"), _parameter())
        await _whole(desk)
        assert await _has(desk, "urgency=low", "ab")

    @scenario
    async def test_one_of_r4_is_left_out_and_brought_back(self, desk: Desk) -> None:
        received = {**_message("a"), "received": "2031-05-04T10:00:00Z"}
        await desk.put(received, _message("b"))
        change = desk.store.change_parameters
        await change(DEFAULT_PROJECT, lambda now: now.turned("Communication", "received", on=False))
        await _whole(desk)
        for asked in ("received=2031", "received:missing=true", "_sort=received"):
            with pytest.raises(FhirError, match="is not indexed here"):
                await _ids(desk, asked)
        with pytest.raises(StoreError, match="not indexed by received"):
            await desk.ids("Communication?received:missing=true")
        await desk.put({**received, "id": "c"}, {**_message("a"), "received": "2032"})
        await change(DEFAULT_PROJECT, lambda now: now.turned("Communication", "received", on=True))
        await _whole(desk)
        assert (await desk.store.parameters(DEFAULT_PROJECT)).listed == ()
        assert await _has(desk, "received=2031", "c")
        assert await _has(desk, "received=2032", "a")
        assert await _has(desk, "received:missing=true", "b")

    @scenario
    async def test_what_goes_is_written_until_nobody_asks_by_it(self, desk: Desk) -> None:
        """Another process may search by it: with ``:not`` it would find what it must not."""
        await desk.put(_message("a", "high"), _message("b", "low"), _parameter())
        await _whole(desk)
        await desk.commit(desk.deletion(await desk.must_read("SearchParameter", "urgency")))
        await desk.put(_message("c", "high"))
        going = await desk.store.parameters(DEFAULT_PROJECT)
        assert "urgency" not in going.catalogue.found("Communication")
        if going.listed:
            assert going.fading
            assert not (await desk.store.index(DEFAULT_PROJECT)).fading
        await _whole(desk)
        assert (await desk.store.parameters(DEFAULT_PROJECT)).listed == ()
        # What has the code after it finds nothing that was left behind.
        await desk.put(_message("c", "low"))
        await desk.put(_parameter())
        await _whole(desk)
        assert await _has(desk, "urgency=high", "a")
        assert await _has(desk, "urgency:not=high", "bc")

    @scenario
    async def test_each_project_has_its_own(self, desk: Desk) -> None:
        await desk.put(_parameter())
        await desk.put(_message("a", "high"), project=_OTHER)
        await _whole(desk)
        assert (await desk.store.parameters(_OTHER)).listed == ()
        with pytest.raises(FhirError, match="Unknown"):
            parse_query(
                "Communication", [("urgency", "a")], bases=await desk.store.home(_OTHER, anew=True)
            )

    @scenario
    async def test_writers_go_on_meanwhile(self, desk: Desk) -> None:
        """Whatever is written while it is indexed is found as it is in the end."""
        words = ("high", "low", "")
        await desk.commit(*[desk.write(_message(f"m{n}", words[n % 3])) for n in range(60)])
        expected = {f"m{n}": words[n % 3] for n in range(60)}

        async def write(first: int) -> None:
            for n in range(first, 60, 4):
                await desk.put(_message(f"m{n}", words[(n + 1) % 3]), _message(f"n{n}", "high"))
                expected[f"m{n}"], expected[f"n{n}"] = words[(n + 1) % 3], "high"

        async def define() -> None:
            await desk.put(_parameter())
            await _whole(desk)
            await desk.put(_parameter(status="retired"))
            await asyncio.sleep(0)
            await desk.put(_parameter())
            await _whole(desk)

        await asyncio.gather(write(0), define(), write(1))
        await _whole(desk)
        for word in words[:2]:
            ids = sorted(id_ for id_, urgency in expected.items() if urgency == word)
            assert sorted(await _ids(desk, f"urgency={word}&_count=200")) == ids

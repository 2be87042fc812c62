"""What a transaction leads anew in a resource, and what it leaves as it is."""

from __future__ import annotations

from typing import Any

import pytest

from threadwell.fhir.links import relinked, relinked_patch

URN = "urn:uuid:7d8f9c7e-3c0f-4b56-8f0e-0a6a4b3c2d1e"
NEW = "Patient/1"
XHTML = "http://www.w3.org/1999/xhtml"


def lead(link: str) -> str | None:
    return NEW if link == URN else None


def communication(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Communication", **members}


def extension(name: str) -> dict[str, Any]:
    return communication(extension=[{"url": "https://example.org/e", name: URN}])


LED: dict[str, Any] = {
    "a reference": communication(subject={"reference": URN}),
    "a reference in a list": communication(recipient=[{"reference": URN}]),
    "a reference in an extension": communication(
        extension=[{"url": "https://example.org/e", "valueReference": {"reference": URN}}]
    ),
    "a reference beside a primitive": communication(
        _status={"extension": [{"url": "https://example.org/e", "valueUri": URN}]}
    ),
    "a reference in an identifier": communication(identifier=[{"assigner": {"reference": URN}}]),
    "a reference in what is contained": communication(
        contained=[{"resourceType": "Encounter", "subject": {"reference": URN}}]
    ),
    "the url of an attachment": communication(payload=[{"contentAttachment": {"url": URN}}]),
    "a uri": extension("valueUri"),
    "a url": extension("valueUrl"),
    "uris in a list": communication(instantiatesUri=[URN, URN]),
    "the uri of a policy": {"resourceType": "Provenance", "policy": [URN]},
    "a part of Parameters": {
        "resourceType": "Parameters",
        "parameter": [{"name": "who", "valueReference": {"reference": URN}}],
    },
}
KEPT: dict[str, Any] = {
    "a text": communication(payload=[{"contentString": URN}]),
    "markdown": communication(note=[{"text": f"see {URN}"}]),
    "the value of an identifier": communication(identifier=[{"value": URN}]),
    "the system of an identifier": communication(identifier=[{"system": URN}]),
    "the system of a code": communication(topic={"coding": [{"system": URN}]}),
    "a canonical": communication(instantiatesCanonical=[URN]),
    "a canonical in an extension": extension("valueCanonical"),
    "a uuid, which is no link": extension("valueUuid"),
    "the url of an extension": communication(extension=[{"url": URN}]),
    "the url that a questionnaire is known by": {"resourceType": "Questionnaire", "url": URN},
    "a logical reference": communication(subject={"identifier": {"value": URN}, "type": URN}),
    "the entries of a document": {
        "resourceType": "Bundle",
        "entry": [{"fullUrl": URN, "resource": communication(subject={"reference": URN})}],
    },
    "a resource among Parameters": {
        "resourceType": "Parameters",
        "parameter": [{"resource": communication(subject={"reference": URN})}],
    },
    "an unknown member": communication(foo={"reference": URN}),
    "a contained resource of an unknown type": communication(
        contained=[{"resourceType": "Visit", "subject": {"reference": URN}}]
    ),
    "no resource": {"reference": URN},
    "a member of another shape": communication(subject=[[URN]], status={"reference": URN}),
}


@pytest.mark.parametrize("resource", LED.values(), ids=LED)
def test_a_link_is_led(resource: dict[str, Any]) -> None:
    before = repr(resource)
    assert repr(relinked(resource, lead)) == before.replace(URN, NEW)
    assert repr(resource) == before


@pytest.mark.parametrize("resource", KEPT.values(), ids=KEPT)
def test_what_is_no_link_stays(resource: dict[str, Any]) -> None:
    assert relinked(resource, lead) == resource


def test_links_of_a_narrative_are_its_attributes() -> None:
    div = '<div xmlns="{}"><a href="{}">{}</a><img src="{}#top" alt="{}"/></div>'
    text = {"div": div.format(XHTML, URN, URN, URN, URN)}
    assert relinked(communication(text=text), lead)["text"]["div"] == div.format(
        XHTML, NEW, URN, NEW, URN
    )


@pytest.mark.parametrize(
    ("path", "value", "led"),
    [
        ("/subject", {"reference": URN}, {"reference": NEW}),
        ("/subject/reference", URN, NEW),
        ("/recipient", [{"reference": URN}], [{"reference": NEW}]),
        ("/recipient/-", {"reference": URN}, {"reference": NEW}),
        ("/recipient/0/reference", URN, NEW),
        ("/payload/0/contentAttachment/url", URN, NEW),
        ("/instantiatesUri/-", URN, NEW),
        ("/contained/0/subject/reference", URN, NEW),
        (
            "/contained/-",
            {"resourceType": "Encounter", "subject": {"reference": URN}},
            {"resourceType": "Encounter", "subject": {"reference": NEW}},
        ),
        ("", communication(subject={"reference": URN}), communication(subject={"reference": NEW})),
        ("/payload/0/contentString", URN, URN),
        ("/identifier/0/value", URN, URN),
        ("/identifier/0/system", URN, URN),
        ("/foo/reference", URN, URN),
        ("/status/reference", URN, URN),
        ("/contained/0/id", URN, URN),
        (None, URN, URN),
    ],
)
def test_the_values_of_a_patch(path: Any, value: Any, led: Any) -> None:
    operation = {"op": "add", "path": path, "value": value}
    assert relinked_patch([operation], "Communication", lead) == [{**operation, "value": led}]


def test_a_patch_of_nothing_known_stays() -> None:
    operations = [{"op": "add", "path": "/subject", "value": {"reference": URN}}, "x", {"op": 1}]
    assert relinked_patch(operations, "Visit", lead) == operations
